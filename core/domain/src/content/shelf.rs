//! All versions of one kind of item, by code.
//!
//! Pure. Who may add: `Content` alone, through [`Shelf::keep`], which holds that a version never changes and that
//! numbers on the wire are for ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::problem::{Faults, Problem};
use super::reference::ContentRef;
use super::types::{Consent, FailureCode, List, Service, Tutorial};

/// What a shelf must know of an item.
pub(super) trait Versioned: PartialEq {
    fn code(&self) -> &str;
    fn version(&self) -> u32;
    /// The numbers that rows use, with the code each stands for.
    fn numbers(&self) -> Vec<(u8, &str)> {
        Vec::new()
    }
}

macro_rules! versioned {
    ($($name:ident),*) => {$(
        impl Versioned for $name {
            fn code(&self) -> &str { &self.code }
            fn version(&self) -> u32 { self.version }
        }
    )*};
}
versioned!(Tutorial, Service, Consent);

impl Versioned for FailureCode {
    fn code(&self) -> &str {
        &self.code
    }
    fn version(&self) -> u32 {
        self.version
    }
    fn numbers(&self) -> Vec<(u8, &str)> {
        vec![(self.number, &self.code)]
    }
}

impl Versioned for List {
    fn code(&self) -> &str {
        &self.code
    }
    fn version(&self) -> u32 {
        self.version
    }
    fn numbers(&self) -> Vec<(u8, &str)> {
        self.entries.iter().map(|entry| (entry.number, entry.code.as_str())).collect()
    }
}

#[derive(Debug)]
struct Kept<T> {
    file: String,
    item: T,
}

/// Versions by code; clones share the items.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    by_code: BTreeMap<String, BTreeMap<u32, Arc<Kept<T>>>>,
}

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self { by_code: self.by_code.clone() }
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { by_code: BTreeMap::new() }
    }
}

impl<T: Versioned> Shelf<T> {
    /// Adds an item, or notes why it cannot be.
    pub(super) fn keep(&mut self, file: &str, item: T, faults: &mut Faults<'_>) {
        let versions = self.by_code.entry(item.code().to_owned()).or_default();
        if let Some(held) = versions.get(&item.version()) {
            if held.item != item {
                faults.add("version", Problem::VersionTaken, format!("{}@{}", item.code(), item.version()));
            }
            return;
        }
        // Rows carry numbers without a version: a newer version may add numbers, never change or drop one.
        let before = versions.range(..item.version()).next_back().map(|(_, held)| (&held.item, &item));
        let after = versions.range(item.version()..).next().map(|(_, held)| (&item, &held.item));
        for (older, newer) in before.into_iter().chain(after) {
            let numbers = newer.numbers();
            if let Some((number, code)) = older.numbers().into_iter().find(|pair| !numbers.contains(pair)) {
                faults.add("number", Problem::NumberChanged, format!("{code}={number}"));
            }
        }
        versions.insert(item.version(), Arc::new(Kept { file: file.to_owned(), item }));
    }

    pub(super) fn newest(&self, code: &str) -> Option<&T> {
        Some(&self.by_code.get(code)?.values().next_back()?.item)
    }

    pub(super) fn at(&self, reference: &ContentRef) -> Option<&T> {
        Some(&self.by_code.get(&reference.code)?.get(&reference.version)?.item)
    }

    pub(super) fn newest_of_all(&self) -> impl Iterator<Item = &T> {
        self.newest_with_file().map(|(_, item)| item)
    }

    pub(super) fn newest_with_file(&self) -> impl Iterator<Item = (&str, &T)> {
        self.by_code
            .values()
            .filter_map(|versions| versions.values().next_back())
            .map(|kept| (kept.file.as_str(), &kept.item))
    }
}
