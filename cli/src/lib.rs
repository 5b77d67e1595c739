//! What the command line is made of, as a library so that tests and benches may use it too.

pub mod admin;
pub mod bench;
pub mod campaign;
pub mod command;
pub mod demo;
pub mod figures;
pub mod inspect;
mod names;
pub mod phone;
pub mod serve;
pub mod simulate;
pub mod terminal;
pub mod words;
