//! Content: tutorials, services, failure codes, consent texts and the words of open integers, as data.
//!
//! Pure: the release's files are packed into the program, newer items are handed in as JSON. The one idea to hold:
//! **an item of a version never changes.** New work uses the newest version of a code; rows written earlier name the
//! version they used and go on being readable by it. A new service so needs no new program.

mod check;
mod cross;
mod packaged;
mod parse;
mod problem;
mod reference;
mod service_row;
mod shelf;
mod step_result;
#[cfg(test)]
mod tests;
mod types;
mod wording;

pub use check::FIRST_FAILURE_NUMBER;
pub use parse::MAX_ITEM_BYTES;
pub use problem::{ContentError, Problem};
pub use reference::{ContentRef, MAX_CODE, NotAContentRef, is_code};
pub use service_row::{RowProblem, needs_failure};
pub use step_result::StepResult;
pub use types::{
    Consent, ContentKind, Covers, DataKind, FailureAction, FailureCode, Item, List, ListEntry, REVIEW_DAYS,
    Service, Status, Step, Text, Tutorial, TutorialResult,
};

use problem::Faults;
use shelf::Shelf;

use crate::date::CivilDate;

/// An item and the name of where it comes from, for error texts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sourced {
    /// A file's path, or kind and reference.
    pub file: String,
    /// The item.
    pub item: Item,
}

impl From<Item> for Sourced {
    fn from(item: Item) -> Self {
        Self { file: format!("{} {}", item.kind().name(), item.reference()), item }
    }
}

/// A checked set of content: every version that is known, and the newest of each code for new work. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Content {
    tutorials: Shelf<Tutorial>,
    services: Shelf<Service>,
    failure_codes: Shelf<FailureCode>,
    consents: Shelf<Consent>,
    lists: Shelf<List>,
}

impl Content {
    /// A set of its own.
    ///
    /// # Errors
    /// Every fault found, in items and between them.
    pub fn new(items: Vec<Sourced>) -> Result<Self, Vec<ContentError>> {
        Self::default().with_all(items)
    }

    /// Whether items are without fault as a whole set.
    ///
    /// # Errors
    /// As [`Content::new`].
    pub fn check(items: &[Sourced]) -> Result<(), Vec<ContentError>> {
        Self::new(items.to_vec()).map(drop)
    }

    /// Reads the JSON of one item and checks it together with this set: what a trainer's page and the hub ask before
    /// they publish.
    ///
    /// # Errors
    /// Every fault; only the first when the JSON does not fit the item's shape.
    pub fn check_item(&self, kind: ContentKind, json: &str) -> Result<Item, Vec<ContentError>> {
        let item = Self::read_item(kind, json)?;
        self.with(item.clone())?;
        Ok(item)
    }

    /// Reads one item without looking at other items.
    ///
    /// # Errors
    /// The first fault of its shape. An item with a field that only a newer program knows is refused here; keep the
    /// version at hand then.
    pub fn read_item(kind: ContentKind, json: &str) -> Result<Item, Vec<ContentError>> {
        parse::one(kind, kind.name(), json)
    }

    /// This set and one more item; see [`Content::with_all`].
    ///
    /// # Errors
    /// As [`Content::with_all`].
    pub fn with(&self, item: Item) -> Result<Self, Vec<ContentError>> {
        self.with_all(vec![item.into()])
    }

    /// This set and more items, checked when all are there, so that a new service and its new tutorial can name each
    /// other. An item that is there already with the same content changes nothing; an older version is kept readable.
    ///
    /// # Errors
    /// Every fault; this set stays as it is.
    pub fn with_all(&self, items: Vec<Sourced>) -> Result<Self, Vec<ContentError>> {
        let mut next = self.clone();
        let mut found = Vec::new();
        for Sourced { file, item } in items {
            let mut faults = Faults { file: &file, found: &mut found };
            check::item(&item, &mut faults);
            next.keep(&file, item, &mut faults);
        }
        found.extend(cross::check(&next));
        if found.is_empty() { Ok(next) } else { Err(found) }
    }

    /// Whether this version is there with the same content.
    pub fn holds(&self, item: &Item) -> bool {
        let reference = item.reference();
        match item {
            Item::Tutorial(item) => self.tutorials.at(&reference) == Some(item),
            Item::Service(item) => self.services.at(&reference) == Some(item),
            Item::FailureCode(item) => self.failure_codes.at(&reference) == Some(item),
            Item::Consent(item) => self.consents.at(&reference) == Some(item),
            Item::List(item) => self.lists.at(&reference) == Some(item),
        }
    }

    fn keep(&mut self, file: &str, item: Item, faults: &mut Faults<'_>) {
        match item {
            Item::Tutorial(item) => self.tutorials.keep(file, item, faults),
            Item::Service(item) => self.services.keep(file, item, faults),
            Item::FailureCode(item) => self.failure_codes.keep(file, item, faults),
            Item::Consent(item) => self.consents.keep(file, item, faults),
            Item::List(item) => self.lists.keep(file, item, faults),
        }
    }

    /// The newest tutorials, by code.
    pub fn tutorials(&self) -> impl Iterator<Item = &Tutorial> {
        self.tutorials.newest_of_all()
    }

    /// The newest version of a tutorial.
    pub fn tutorial(&self, code: &str) -> Option<&Tutorial> {
        self.tutorials.newest(code)
    }

    /// That version of a tutorial.
    pub fn tutorial_at(&self, reference: &ContentRef) -> Option<&Tutorial> {
        self.tutorials.at(reference)
    }

    /// The newest services, by code.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.newest_of_all()
    }

    /// The newest version of a service.
    pub fn service(&self, code: &str) -> Option<&Service> {
        self.services.newest(code)
    }

    /// That version of a service.
    pub fn service_at(&self, reference: &ContentRef) -> Option<&Service> {
        self.services.at(reference)
    }

    /// The newest failure codes, by code.
    pub fn failure_codes(&self) -> impl Iterator<Item = &FailureCode> {
        self.failure_codes.newest_of_all()
    }

    /// The newest version of a failure code, by code such as `D1`.
    pub fn failure_code(&self, code: &str) -> Option<&FailureCode> {
        self.failure_codes.newest(code)
    }

    /// The newest version of a failure code, by its number on the wire.
    pub fn failure_number(&self, number: u8) -> Option<&FailureCode> {
        self.failure_codes().find(|code| code.number == number)
    }

    /// The newest consent texts, by code.
    pub fn consents(&self) -> impl Iterator<Item = &Consent> {
        self.consents.newest_of_all()
    }

    /// The newest version of a consent text: what to read out today.
    pub fn consent(&self, code: &str) -> Option<&Consent> {
        self.consents.newest(code)
    }

    /// The text a household consented to, with the kinds of data it names ([`Consent::data`]).
    pub fn consent_script(&self, reference: &ContentRef) -> Option<&Consent> {
        self.consents.at(reference)
    }

    /// The newest lists, by code.
    pub fn lists(&self) -> impl Iterator<Item = &List> {
        self.lists.newest_of_all()
    }

    /// The newest version of a list of an open integer's words, such as `outcomes`.
    pub fn list(&self, name: &str) -> Option<&List> {
        self.lists.newest(name)
    }
}

impl Tutorial {
    /// Its name in rows.
    pub fn reference(&self) -> ContentRef {
        ContentRef { code: self.code.clone(), version: self.version }
    }

    /// Whether its review has run out by that day: more than `review_days` have passed. An outline has no screens
    /// that could have changed and is never out of date.
    pub fn is_out_of_date(&self, today: CivilDate) -> bool {
        self.reviewed.is_some_and(|reviewed| today.0 - reviewed.0 > i32::from(self.review_days))
    }
}

impl Service {
    /// Its name in rows.
    pub fn reference(&self) -> ContentRef {
        ContentRef { code: self.code.clone(), version: self.version }
    }
}

impl Consent {
    /// Its name in rows.
    pub fn reference(&self) -> ContentRef {
        ContentRef { code: self.code.clone(), version: self.version }
    }

    /// Every registry field (`table.field`) that the text names.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.data.iter().flat_map(|data| data.fields.iter().map(String::as_str))
    }
}
