//! Each way in which content can be broken has an error of its own that names the field.

use serde_json::{Value, json as j};

use super::super::{Content, ContentKind as K, Problem as P, Sourced, packaged};
use super::next_version;

type Case = (K, &'static str, fn(&mut Value), &'static str, P);

fn remove(value: &mut Value, key: &str) {
    value.as_object_mut().expect("an object").remove(key);
}

const CASES: &[Case] = &[
    // The shape.
    (K::Tutorial, "T1", |v| v["steps"][3]["colour"] = j!(1), "steps[3].colour", P::UnknownField),
    (K::Tutorial, "T1", |v| remove(&mut v["steps"][2]["done"], "en"), "steps[2].done.en", P::MissingField),
    (K::Tutorial, "T1", |v| remove(v, "results"), "results", P::MissingField),
    (K::Tutorial, "T1", |v| v["minutes"] = j!("long"), "minutes", P::WrongType),
    (K::Tutorial, "T1", |v| v["steps"][4]["turn_away"] = j!("yes"), "steps[4].turn_away", P::WrongType),
    (K::Tutorial, "T1", |v| v["status"] = j!("half"), "status", P::UnknownVariant),
    (K::Tutorial, "T1", |v| v["reviewed"] = j!("2026-02-30"), "reviewed", P::BadDate),
    (K::FailureCode, "D1", |v| v["number"] = j!(300), "number", P::WrongType),
    (K::FailureCode, "D1", |v| v["action"] = j!("wait"), "action", P::UnknownVariant),
    (K::List, "outcomes", |v| v["entries"][1]["fr"] = j!(""), "entries[1].fr", P::UnknownField),
    (
        K::Consent,
        "consent.script",
        |v| remove(&mut v["data"][0], "fields"),
        "data[0].fields",
        P::MissingField,
    ),
    // Codes, versions and numbers.
    (K::Tutorial, "T1", |v| v["version"] = j!(0), "version", P::VersionZero),
    (K::Tutorial, "T1", |v| v["code"] = j!("T 1"), "code", P::BadCode),
    (K::FailureCode, "D1", |v| v["number"] = j!(15), "number", P::NumberReserved),
    (K::FailureCode, "D1", |v| v["number"] = j!(18), "number", P::DuplicateNumber),
    (K::FailureCode, "D1", |v| v["number"] = j!(200), "number", P::NumberChanged),
    (K::List, "outcomes", |v| v["entries"][1]["number"] = j!(1), "entries[1].number", P::DuplicateNumber),
    (K::List, "outcomes", |v| v["entries"][1]["code"] = j!("new"), "entries[1].code", P::DuplicateCode),
    (K::List, "outcomes", |v| v["entries"] = j!([]), "entries", P::Empty),
    // Texts.
    (K::Tutorial, "T1", |v| v["title"]["vi"] = j!(" "), "title.vi", P::TextMissing),
    (
        K::Tutorial,
        "T1",
        |v| v["steps"][0]["text"]["en"] = j!("x".repeat(321)),
        "steps[0].text.en",
        P::TextTooLong,
    ),
    (K::Tutorial, "T1", |v| v["title"]["vi"] = j!("Cài đă\u{323}t"), "title.vi", P::NotNfc),
    (K::Tutorial, "T1", |v| v["title"]["vi"] = j!("Cài  đặt"), "title.vi", P::Spacing),
    (K::Service, "health_book", |v| v["title"]["vi"] = j!("Sổ sức khoẻ"), "title.vi", P::TonePlacement),
    (K::FailureCode, "D4", |v| v["next"]["vi"] = j!("Hỏi trước khi xoá"), "next.vi", P::TonePlacement),
    (K::List, "half_days", |v| v["entries"][2]["en"] = j!(""), "entries[2].en", P::TextMissing),
    // Steps.
    (K::Tutorial, "T2", |v| v["steps"][4]["number"] = j!(7), "steps[4].number", P::StepNumber),
    (K::Tutorial, "T2", |v| v["steps"] = j!([]), "steps", P::StepsMissing),
    (K::Tutorial, "T3", |v| v["status"] = j!("outline"), "status", P::StepsMissing),
    (K::Tutorial, "T2", |v| v["steps"][4]["id"] = j!("test_otp"), "steps[11].id", P::DuplicateStepId),
    (K::Tutorial, "T2", |v| v["steps"][11]["teach_back"] = j!(false), "steps", P::TeachBackMissing),
    (K::Tutorial, "T1", |v| v["steps"][8]["rules"] = j!([]), "steps[8].rules", P::RuleMissing),
    (
        K::Tutorial,
        "T1",
        |v| v["steps"][5]["failures"] = j!(["D9"]),
        "steps[5].failures[0]",
        P::UnknownFailureCode,
    ),
    (
        K::Tutorial,
        "T1",
        |v| v["failures_any_step"] = j!(["Z1"]),
        "failures_any_step[0]",
        P::UnknownFailureCode,
    ),
    (K::Tutorial, "T1", |v| v["steps"][5]["rules"] = j!(["R9"]), "steps[5].rules[0]", P::UnknownRule),
    (K::Tutorial, "T1", |v| v["rules"] = j!(["R5", "R5"]), "rules[1]", P::DuplicateCode),
    (
        K::Tutorial,
        "T1",
        |v| v["steps"][5]["failures"] = j!(["V5"]),
        "steps[5].failures",
        P::FailureCodeNotOfService,
    ),
    (K::Tutorial, "T1", |v| v["steps"][0]["safety_stop"] = j!("H1"), "steps[0].safety_stop", P::NotAStop),
    (K::Tutorial, "T1", |v| v["steps"][5]["safety_stop"] = j!("X1"), "steps[5].safety_stop", P::NotAStop),
    (K::Tutorial, "T1", |v| v["results"][0]["to_step"] = j!(13), "results[0].to_step", P::OutOfRange),
    (K::Tutorial, "T1", |v| remove(v, "reviewed"), "reviewed", P::MissingField),
    (K::Tutorial, "T1", |v| v["review_days"] = j!(0), "review_days", P::OutOfRange),
    // What items name in each other.
    (K::Tutorial, "T4", |v| v["results"][0]["service"] = j!("fax"), "results[0].service", P::UnknownService),
    (
        K::Tutorial,
        "T4",
        |v| v["results"][0]["service"] = j!("sim_4g"),
        "results[0].service",
        P::ServiceNotOfTutorial,
    ),
    (K::Service, "sim_4g", |v| v["tutorial"] = j!("T10"), "tutorial", P::UnknownTutorial),
    (K::Service, "sim_4g", |v| v["tutorial"] = j!("T1"), "tutorial", P::ServiceNotOfTutorial),
    (K::Service, "sim_4g", |v| v["outcomes"][0] = j!("won"), "outcomes[0]", P::UnknownOutcome),
    (K::Service, "sim_4g", |v| v["outcomes"] = j!([]), "outcomes", P::Empty),
    (K::Service, "sim_4g", |v| v["failures"][0] = j!("D8"), "failures[0]", P::UnknownFailureCode),
    (K::Service, "sim_4g", |v| v["failures"] = j!([]), "failures", P::Empty),
    (K::Service, "sim_4g", |v| v["published_figures"] = j!(["x"]), "published_figures[0]", P::UnknownEntry),
    (K::FailureCode, "M5", |v| v["tutorial"] = j!("T0"), "tutorial", P::UnknownTutorial),
    (K::FailureCode, "M5", |v| v["group"] = j!("d"), "group", P::UnknownEntry),
    // Consent.
    (
        K::Consent,
        "consent.script",
        |v| v["data"][2]["words"] = j!("lương"),
        "data[2].words",
        P::DataKindNotNamed,
    ),
    (
        K::Consent,
        "consent.script",
        |v| v["data"][2]["fields"] = j!(["person.wage"]),
        "data[2].fields[0]",
        P::UnknownEntry,
    ),
    (
        K::Consent,
        "consent.script",
        |v| v["parameters"] = j!(["name", "hamlet"]),
        "text.vi",
        P::ParameterDiffers,
    ),
    (K::Consent, "consent.script", |v| v["purposes"] = j!(["advertising"]), "purposes[0]", P::UnknownEntry),
    (K::Consent, "consent.contact", |v| v["retention_days"] = j!(0), "retention_days", P::OutOfRange),
];

#[test]
fn every_broken_item_names_its_field_and_what_is_wrong() {
    for (kind, code, edit, path, problem) in CASES {
        let errors = Content::packaged()
            .check_item(*kind, &next_version(*kind, code, edit))
            .expect_err(&format!("{code} {path}"));
        assert!(
            errors.iter().any(|error| error.path == *path && error.problem == *problem),
            "{code}: wanted {path} {}, got {errors:?}",
            problem.code()
        );
        assert!(errors.iter().all(|error| !error.file.is_empty()));
    }
}

#[test]
fn text_that_is_not_json_names_the_line() {
    let errors = Content::read_item(K::Service, "{\n\"code\": ").expect_err("cut short");
    assert_eq!((errors[0].problem, errors[0].value.as_str()), (P::BadJson, "line 2 column 8"));
    let twice = r#"{"code": "a", "code": "b"}"#;
    let errors = Content::read_item(K::Service, twice).expect_err("twice");
    assert_eq!((errors[0].problem, errors[0].path.as_str()), (P::DuplicateField, "code"));
    let long = " ".repeat(super::super::MAX_ITEM_BYTES + 1);
    assert_eq!(Content::read_item(K::Service, &long).expect_err("long")[0].problem, P::TooLarge);
}

#[test]
fn an_error_of_the_release_names_its_file() {
    let mut items = packaged::items().expect("the release");
    let Some(Sourced { item: super::super::Item::FailureCode(code), .. }) =
        items.iter_mut().find(|one| one.file == "fixtures/codes/failure_codes.json[1]")
    else {
        panic!("the second failure code");
    };
    code.number = 17;
    let errors = Content::check(&items).expect_err("two of one number");
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["fixtures/codes/failure_codes.json[1]: number: duplicate_number (17 of D1)"]
    );
}

#[test]
fn codes_of_problems_differ() {
    let codes: std::collections::BTreeSet<&str> = CASES.iter().map(|case| case.4.code()).collect();
    let problems: std::collections::BTreeSet<P> = CASES.iter().map(|case| case.4).collect();
    assert_eq!(codes.len(), problems.len());
}
