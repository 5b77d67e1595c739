//! The table against the codes that the phone's sources name.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|of| of == "rs") && !path.ends_with("tests.rs") {
            found.push_str(&std::fs::read_to_string(&path).expect("text"));
        }
    }
}

/// The texts in quotes of every call that opens with `start`, its closing bracket not passed.
fn quoted<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = Vec<&'a str>> {
    text.match_indices(start).map(move |(at, _)| {
        let rest = &text[at + start.len()..];
        let end = rest.find([')', ';']).unwrap_or(rest.len());
        rest[..end].split('"').skip(1).step_by(2).collect()
    })
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c))
}

#[test]
fn every_code_of_the_phone_has_words() {
    let mut text = String::new();
    let device = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/device/src");
    sources(&device, &mut text);
    let mut codes = BTreeSet::new();
    for (start, kind) in
        [("offline(", "offline"), ("not_allowed(", "not_allowed"), ("Locked { why: ", "locked")]
    {
        for texts in quoted(&text, start) {
            codes.extend(texts.first().filter(|code| is_code(code)).map(|code| format!("{kind}.{code}")));
        }
    }
    for start in ["invalid(", "Problem::new(", ".add("] {
        for texts in quoted(&text, start) {
            codes.extend(
                texts
                    .last()
                    .filter(|code| texts.len() > 1 && is_code(code))
                    .map(|code| format!("input.{code}")),
            );
        }
    }
    for start in
        ["name_code(error: NameError) -> &'static str {", "phone_code(error: PhoneError) -> &'static str {"]
    {
        let body = text.split(start).nth(1).and_then(|rest| rest.split("\n}").next()).expect(start);
        codes.extend(body.split('"').skip(1).step_by(2).map(|code| format!("input.{code}")));
    }
    codes.extend(never_stored());
    assert!(codes.len() > 60, "{codes:?}");
    all_have_words(&codes);
}

/// The codes of what is never stored; every part that checks free text may give them.
fn never_stored() -> impl Iterator<Item = String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/domain/src/never_store/mod.rs");
    let text = std::fs::read_to_string(file).expect("text");
    let codes: Vec<_> = text
        .split('"')
        .filter(|part| part.starts_with("never_store.") && is_code(part))
        .map(|code| format!("input.{code}"))
        .collect();
    assert!(codes.len() > 5, "{codes:?}");
    codes.into_iter()
}

fn all_have_words(codes: &BTreeSet<String>) {
    let silent: Vec<_> = codes.iter().filter(|code| of(code).is_none()).collect();
    assert!(silent.is_empty(), "codes without words: {silent:?}");
}

#[test]
fn every_code_of_an_operators_work_has_words() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../hub/src/admin"), &mut text);
    let mut codes = BTreeSet::new();
    // A call that ends with a code that is computed names a field only, and that of one of many holds its place.
    for (at, start) in text.match_indices("AdminError::invalid(") {
        let call = text[at + start.len()..].split(')').next().unwrap_or_default().trim_end();
        let code = call.strip_suffix('"').and_then(|call| call.rsplit('"').next());
        codes.extend(code.filter(|code| is_code(code)).map(|code| format!("input.{code}")));
    }
    let faults =
        text.split("problems! {\n").nth(1).and_then(|rest| rest.split("\n}").next()).expect("faults");
    codes.extend(faults.split('"').skip(1).step_by(2).map(|code| format!("input.{code}")));
    assert!(codes.len() > 20, "{codes:?}");
    all_have_words(&codes);
}

#[test]
fn every_code_of_a_backup_has_words() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hub/src/backup/mod.rs");
    let text = std::fs::read_to_string(file).expect("text");
    let codes = text.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
    let codes: BTreeSet<_> =
        codes.filter(|code| is_code(code)).map(|code| format!("backup.{code}")).collect();
    assert!(codes.len() > 10, "{codes:?}");
    all_have_words(&codes);
}

#[test]
fn every_condition_is_told_in_both_languages_with_its_exit_code() {
    let cases = [
        (AppError::Offline { why: "hub_unreachable".into() }, 3),
        (AppError::NotFound, 1),
        (AppError::OutdatedApp, 1),
        (AppError::StorageFull, 1),
        (AppError::NotAllowed { why: "role".into() }, 1),
        (AppError::InvalidInput { field: "date".into(), code: "future_date".into() }, 1),
        (AppError::Corrupt, 1),
        (AppError::Locked { why: "open_elsewhere".into() }, 4),
        (AppError::Unexpected { reason: "sqlite use".into() }, 1),
    ];
    for (error, exit) in cases {
        let failure = Failure::from(error);
        assert_eq!(failure.exit as u8, exit, "{failure:?}");
        let said = failure.say();
        assert!(said.starts_with("Lỗi: ") && said.contains("\nError: "), "{said}");
        assert!(of(&failure.code).is_some(), "{said}");
    }
}

#[test]
fn an_unknown_code_is_shown_as_it_is() {
    let error = AppError::InvalidInput { field: "x".into(), code: "of_tomorrow".into() };
    assert!(Failure::from(error).say().starts_with("Lỗi: x: input.of_tomorrow"));
    let said = Failure::from(AppError::Offline { why: "of_tomorrow".into() }).say();
    assert!(said.contains("[offline.of_tomorrow]"), "{said}");
}

#[test]
fn the_table_has_each_code_once_and_normal_text() {
    let mut seen = BTreeSet::new();
    for (code, vi, en) in all() {
        assert!(seen.insert(code), "{code} twice");
        assert_eq!(*vi, langso_domain::text::nfc(vi), "{code}");
        assert!(!en.is_empty() && !vi.contains('!') && !vi.contains("bạn"), "{code}");
    }
}
