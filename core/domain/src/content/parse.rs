//! Reads content from JSON and, when it does not fit, says which field of which element is at fault.
//!
//! Pure. serde names the field but not the path to it, so on a fault the parts (steps, texts, entries) are read one
//! by one until the broken one is found.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::{ContentError, Faults, Problem};
use super::types::{
    Consent, ContentKind, DataKind, FailureCode, Item, List, ListEntry, Service, Step, Text, Tutorial,
    TutorialResult,
};

/// The bound of a published item's JSON, in bytes: what a `content_items` row can carry.
pub const MAX_ITEM_BYTES: usize = 60_000;

/// Reads one item. The error list has one entry: reading ends at the first fault.
pub(super) fn one(kind: ContentKind, file: &str, json: &str) -> Result<Item, Vec<ContentError>> {
    if json.len() > MAX_ITEM_BYTES {
        return Err(single(file, String::new(), Problem::TooLarge, json.len().to_string()));
    }
    match kind {
        ContentKind::Tutorial => typed(file, json, locate_tutorial).map(Item::Tutorial),
        ContentKind::Service => typed(file, json, locate_service).map(Item::Service),
        ContentKind::FailureCode => typed(file, json, locate_failure_code).map(Item::FailureCode),
        ContentKind::Consent => typed(file, json, locate_consent).map(Item::Consent),
        ContentKind::List => typed(file, json, locate_list).map(Item::List),
    }
}

/// Reads a file that holds a JSON array of items of one kind; each stays within [`MAX_ITEM_BYTES`].
pub(super) fn many(kind: ContentKind, file: &str, json: &str) -> Result<Vec<Item>, Vec<ContentError>> {
    let elements: Vec<Value> = match serde_json::from_str(json) {
        Ok(elements) => elements,
        Err(error) => return Err(single(file, String::new(), Problem::BadJson, place(&error))),
    };
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    for (at, element) in elements.iter().enumerate() {
        match one(kind, file, &element.to_string()) {
            Ok(item) => items.push(item),
            Err(found) => errors.extend(found.into_iter().map(|mut error| {
                error.path = join(&format!("[{at}]"), &error.path);
                error
            })),
        }
    }
    if errors.is_empty() { Ok(items) } else { Err(errors) }
}

type Locate = fn(&Value) -> Option<(String, String)>;

fn typed<T: DeserializeOwned>(file: &str, json: &str, locate: Locate) -> Result<T, Vec<ContentError>> {
    let error = match serde_json::from_str::<T>(json) {
        Ok(item) => return Ok(item),
        Err(error) => error,
    };
    if !error.is_data() {
        return Err(single(file, String::new(), Problem::BadJson, place(&error)));
    }
    // A field that stands twice is lost in a `Value`, so only its name can be told.
    let message = error.to_string();
    let is_twice = message.starts_with("duplicate field");
    let value = if is_twice { None } else { serde_json::from_str::<Value>(json).ok() };
    let (path, message) = value
        .and_then(|value| locate(&value))
        .unwrap_or_else(|| (quoted(&message).unwrap_or_default().to_owned(), message));
    let problem = [
        ("unknown field", Problem::UnknownField),
        ("missing field", Problem::MissingField),
        ("duplicate field", Problem::DuplicateField),
        ("unknown variant", Problem::UnknownVariant),
        ("invalid date", Problem::BadDate),
    ]
    .into_iter()
    .find_map(|(start, problem)| message.starts_with(start).then_some(problem))
    .unwrap_or(Problem::WrongType);
    let value = if problem == Problem::UnknownVariant { quoted(&message).unwrap_or_default() } else { "" };
    Err(single(file, path, problem, value.to_owned()))
}

fn single(file: &str, path: String, problem: Problem, value: String) -> Vec<ContentError> {
    let mut found = Vec::new();
    Faults { file, found: &mut found }.add(path, problem, value);
    found
}

fn place(error: &serde_json::Error) -> String {
    format!("line {} column {}", error.line(), error.column())
}

fn join(parent: &str, child: &str) -> String {
    match child.as_bytes().first() {
        None => parent.to_owned(),
        Some(b'[') => format!("{parent}{child}"),
        Some(_) => format!("{parent}.{child}"),
    }
}

/// What stands between the first pair of backticks, where serde puts names.
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

fn fault<T: DeserializeOwned>(value: &Value) -> Option<String> {
    serde_json::from_value::<T>(value.clone()).err().map(|error| error.to_string())
}

/// The path and message of the first fault in a value of that type, looking into its parts first.
fn locate<T: DeserializeOwned>(value: &Value, parts: &[(&str, Locate)]) -> Option<(String, String)> {
    let message = fault::<T>(value)?;
    for (key, part) in parts {
        let Some(child) = value.get(key) else { continue };
        let children: Vec<(String, &Value)> = match child {
            Value::Array(all) => {
                all.iter().enumerate().map(|(at, one)| (format!("{key}[{at}]"), one)).collect()
            }
            other => vec![((*key).to_owned(), other)],
        };
        for (name, child) in children {
            if let Some((path, message)) = part(child) {
                return Some((join(&name, &path), message));
            }
        }
    }
    let named = message.starts_with("unknown field") || message.starts_with("missing field");
    let path = if named { quoted(&message).map(str::to_owned) } else { culprit::<T>(value, &message) };
    Some((path.unwrap_or_default(), message))
}

/// The key without which the fault is another one or none: serde does not name a field of the wrong type.
fn culprit<T: DeserializeOwned>(value: &Value, message: &str) -> Option<String> {
    let object = value.as_object()?;
    object.keys().find_map(|key| {
        let mut rest = object.clone();
        rest.remove(key);
        (fault::<T>(&Value::Object(rest)).as_deref() != Some(message)).then(|| key.clone())
    })
}

fn locate_text(value: &Value) -> Option<(String, String)> {
    locate::<Text>(value, &[])
}

fn locate_tutorial(value: &Value) -> Option<(String, String)> {
    let step: Locate = |value| locate::<Step>(value, &[("text", locate_text), ("done", locate_text)]);
    let result: Locate = |value| locate::<TutorialResult>(value, &[("done", locate_text)]);
    locate::<Tutorial>(value, &[("title", locate_text), ("steps", step), ("results", result)])
}

fn locate_service(value: &Value) -> Option<(String, String)> {
    locate::<Service>(value, &[("title", locate_text)])
}

fn locate_failure_code(value: &Value) -> Option<(String, String)> {
    locate::<FailureCode>(value, &[("text", locate_text), ("next", locate_text)])
}

fn locate_consent(value: &Value) -> Option<(String, String)> {
    locate::<Consent>(value, &[("text", locate_text), ("data", |value| locate::<DataKind>(value, &[]))])
}

fn locate_list(value: &Value) -> Option<(String, String)> {
    locate::<List>(value, &[("entries", |value| locate::<ListEntry>(value, &[]))])
}
