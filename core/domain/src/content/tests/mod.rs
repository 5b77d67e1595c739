//! Tests of content on the packed release.

mod broken;
mod overlay;
mod release;
mod rows;

use super::{Content, ContentKind, Item};
use serde_json::Value;

/// The JSON of a packed item, to be broken by a test.
fn json(kind: ContentKind, code: &str) -> Value {
    let content = Content::packaged();
    let item = match kind {
        ContentKind::Tutorial => content.tutorial(code).cloned().map(Item::Tutorial),
        ContentKind::Service => content.service(code).cloned().map(Item::Service),
        ContentKind::FailureCode => content.failure_code(code).cloned().map(Item::FailureCode),
        ContentKind::Consent => content.consent(code).cloned().map(Item::Consent),
        ContentKind::List => content.list(code).cloned().map(Item::List),
    };
    serde_json::from_str(&item.expect(code).to_json()).expect("JSON")
}

/// The packed item as its next version, after an edit.
fn next_version(kind: ContentKind, code: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut value = json(kind, code);
    value["version"] = 2.into();
    edit(&mut value);
    value.to_string()
}
