//! Tests of the log on real files.
