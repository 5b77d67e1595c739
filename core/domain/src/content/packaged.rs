//! The content of the release, packed into the program, so that a phone that has never synced can walk T1.
//!
//! Reads nothing at run time. That the packed content is without fault is shown by a test.

use std::sync::OnceLock;

use super::problem::ContentError;
use super::types::ContentKind;
use super::{Content, Sourced, parse};
use crate::packed::{inflate, packed};

macro_rules! fixture {
    ($path:literal) => {
        (concat!("fixtures/", $path), packed!($path))
    };
}

/// A file and its packed text.
type Packed = (&'static str, &'static [u8]);

const TUTORIALS: [Packed; 9] = [
    fixture!("tutorials/T1.json"),
    fixture!("tutorials/T2.json"),
    fixture!("tutorials/T3.json"),
    fixture!("tutorials/T4.json"),
    fixture!("tutorials/T5.json"),
    fixture!("tutorials/T6.json"),
    fixture!("tutorials/T7.json"),
    fixture!("tutorials/T8.json"),
    fixture!("tutorials/T9.json"),
];

const CODES: [(ContentKind, Packed); 4] = [
    (ContentKind::FailureCode, fixture!("codes/failure_codes.json")),
    (ContentKind::Service, fixture!("codes/services.json")),
    (ContentKind::Consent, fixture!("codes/consents.json")),
    (ContentKind::List, fixture!("codes/lists.json")),
];

/// All items of the release with the files they come from.
pub(super) fn items() -> Result<Vec<Sourced>, Vec<ContentError>> {
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    for (file, packed) in TUTORIALS {
        match parse::one(ContentKind::Tutorial, file, &inflate(packed)) {
            Ok(item) => items.push(Sourced { file: file.to_owned(), item }),
            Err(found) => errors.extend(found),
        }
    }
    for (kind, (file, packed)) in CODES {
        match parse::many(kind, file, &inflate(packed)) {
            Ok(found) => items.extend(
                found
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| Sourced { file: format!("{file}[{at}]"), item }),
            ),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(items) } else { Err(errors) }
}

impl Content {
    /// The content of the release, read and checked at the first call.
    pub fn packaged() -> &'static Self {
        static PACKAGED: OnceLock<Content> = OnceLock::new();
        PACKAGED.get_or_init(|| {
            items().and_then(Content::new).expect("a test shows that the packed content is without fault")
        })
    }

    /// The content of the release with what was published since: kind's name and JSON of each item. What only a newer
    /// program can read is left out, and so is what does not fit the rest; the version at hand stays in use.
    pub fn with_published(bodies: &[(String, String)]) -> Self {
        let items: Vec<Sourced> = bodies
            .iter()
            .filter_map(|(kind, body)| Self::read_item(ContentKind::from_name(kind)?, body).ok())
            .map(Sourced::from)
            .collect();
        let packaged = Self::packaged();
        if items.is_empty() {
            return packaged.clone();
        }
        if let Ok(content) = packaged.with_all(items.clone()) {
            return content;
        }
        // One item that does not fit must not hide the others.
        items
            .into_iter()
            .fold(packaged.clone(), |content, item| content.with_all(vec![item]).unwrap_or(content))
    }
}
