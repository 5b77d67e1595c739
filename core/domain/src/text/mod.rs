//! Vietnamese text: storing it one way, comparing it, searching it, ordering it, and the small
//! formats (names, phones, numbers) that people type into a form.
//!
//! Three keys, each blunter than the one before: `nfc` (how text is stored), `tone_key` (equality
//! when only the place of the tone mark differs) and `fold` (search without marks). Rank matches in
//! that order, and show the stored text, never a key. Everything here is pure and linear in its
//! input.

mod collate;
mod fold;
mod name;
mod name_like;
mod normal;
pub mod number;
pub mod phone;
mod query;

pub use collate::{name_sort_key, sort_key};
pub(crate) use fold::is_invisible;
pub use fold::{fold, fold_with_map};
pub use name::{MAX_NAME_CHARS, NameError, check_name, given_name};
pub use name_like::looks_like_name;
pub use normal::{nfc, nfc_lines, tone_key};
pub use number::{Number, NumberError, format_count, format_decimal, format_percent, parse_number_vi};
pub use query::fold_query;
