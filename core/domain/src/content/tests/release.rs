//! What the release's content says.

use std::collections::BTreeSet;

use super::super::{Content, Covers, FailureAction, Status, packaged};
use crate::date::CivilDate;
use crate::registry::{CURRENT, Kind};

#[test]
fn the_packed_content_is_without_fault() {
    let items = packaged::items().unwrap_or_else(|errors| panic!("{errors:#?}"));
    Content::check(&items).unwrap_or_else(|errors| panic!("{errors:#?}"));
}

/// Rows on phones and in logs carry these numbers: a line may be added, none may change.
const FAILURE_NUMBERS: &str = "D1=17 D2=18 D3=19 D4=20 D5=21 D6=22 D7=23 M1=33 M2=34 M3=35 M4=36 M5=37 \
    P1=49 P2=50 P3=51 P4=52 A1=65 A2=66 A3=67 A4=68 A5=69 A6=70 A7=71 N1=81 N2=82 N3=83 \
    H1=97 H2=98 H3=99 H4=100 H5=101 V1=113 V2=114 V3=115 V4=116 V5=117 X1=129";

const LIST_NUMBERS: &[(&str, &str)] = &[
    ("outcomes", "new=1 had=2 later=3 failed=4 refused=5 referred=6"),
    ("step_results", "none=0 passed=1 skipped=2 failed=3"),
    ("evidence", "shown=1 told=2 paper=3"),
    ("place_kinds", "home=1 hall=2 market=3 centre=4 phone=5"),
    ("signals", "none=1 g2=2 g4=3 wifi=4"),
    ("age_bands", "u14=1 b14=2 b18=3 b35=4 b60=5"),
    ("phone_kinds", "none=1 feature=2 smart=3"),
    ("yes_no_unknown", "yes=1 no=2 unknown=3"),
    ("sexes", "female=1 male=2"),
    ("poverty", "poor=1 near_poor=2 not_poor=3"),
    ("consent_ways", "witness=1 tick=2 sign=3"),
    ("purposes", "record=1 contact=2"),
    (
        "languages",
        "kinh=1 tay=2 dao=3 san_chi=4 khmer=5 nung=6 hmong=7 thai=8 muong=9 hoa=10 cham=11 ede=12 jrai=13 \
         bahnar=14 other=15",
    ),
    ("session_kinds", "training=1 propaganda=2 class=3 campaign=4 club=5 other=6"),
    ("grant_items", "phone=1 sim_4g=2"),
    ("group_kinds", "club=1 cooperative=2 other=3"),
    ("correction_reasons", "typo=1 household=2 outcome=3 other=4"),
    ("half_days", "morning=1 afternoon=2 evening=3"),
    ("verdicts", "approved=1 sent_back=2"),
    ("value_operators", "eq=1 lt=2 about=3 gt=4 ge=5 below=6"),
    ("team_kinds", "hamlet=1 commune=2 merged=3 youth=4 union=5 agency=6"),
    ("roles", "member=1 deputy=2 lead=3 trainer=4 officer=5 hub=6"),
    ("reason_groups", "d=1 m=2 p=3 a=4 n=5 h=6 v=7 x=8"),
    ("failure_actions", "retry=1 refer=2 follow_up=3 respect=4 stop=5"),
    ("rules", "R1=1 R2=2 R3=3 R4=4 R5=5 R6=6 R7=7"),
    (
        "published_figures",
        "phones_granted=1 sim_4g_with_grants=2 digital_signatures=3 telehealth_rate=4 vneid_level2_rate=5 \
         insurance_book_rate=6 smartphone_rate=7 chip_cards=8 vneid_accounts_activated=9 farmer_clubs=10 \
         ecommerce_accounts=11 ecommerce_with_sales=12 training_sessions=13 propaganda_sessions=14 \
         portal_turns=15",
    ),
];

#[test]
fn numbers_are_as_they_always_were() {
    let content = Content::packaged();
    let mut codes: Vec<_> = content.failure_codes().collect();
    codes.sort_by_key(|code| code.number);
    let codes: Vec<String> = codes.iter().map(|code| format!("{}={}", code.code, code.number)).collect();
    assert_eq!(codes.join(" "), FAILURE_NUMBERS);
    for (name, numbers) in LIST_NUMBERS {
        let entries = &content.list(name).expect(name).entries;
        let entries: Vec<String> =
            entries.iter().map(|entry| format!("{}={}", entry.code, entry.number)).collect();
        assert_eq!(entries.join(" "), *numbers, "{name}");
    }
    assert_eq!(content.lists().count(), LIST_NUMBERS.len());
}

#[test]
fn every_enum_of_the_registry_has_its_list() {
    for table in CURRENT.tables {
        for field in table.fields {
            if let Kind::Enum(name) = field.kind {
                let known = name == "failure_codes" || Content::packaged().list(name).is_some();
                assert!(known, "{}.{} draws from {name}", table.name, field.name);
            }
        }
    }
}

#[test]
fn t1_to_t3_have_twelve_steps_with_their_reasons() {
    let likely: [(&str, [&str; 12]); 3] = [
        (
            "T1",
            ["H1 H3 H4", "P1 P2", "M1 M2", "D3 D4 N1", "X1", "", "P3 A7", "D5 A1 A2", "M3 M4", "A3", "", ""],
        ),
        ("T2", ["H1", "D1 D2", "", "M1 P3", "M5", "", "", "", "A2", "N1", "M4 D5", ""]),
        ("T3", ["P2 A3", "X1", "M3 A4 A5", "", "", "V1", "V1 P4", "V2", "", "V2", "V4", "V3 N3"]),
    ];
    for (code, failures) in likely {
        let tutorial = Content::packaged().tutorial(code).expect(code);
        assert_eq!((tutorial.status, tutorial.steps.len()), (Status::Ready, 12));
        for (step, wanted) in tutorial.steps.iter().zip(failures) {
            assert_eq!(step.failures.join(" "), wanted, "{code} step {}", step.number);
            assert!(
                !tutorial.failures_at(step.number).is_empty(),
                "{code} step {} has no reason",
                step.number
            );
        }
        assert!(tutorial.steps[0].rules.iter().any(|rule| rule == "R1"), "{code} asks permission first");
        assert!(tutorial.steps[11].teach_back, "{code} ends with the citizen alone");
    }
}

#[test]
fn secrets_are_typed_while_the_volunteer_turns_away() {
    let away = |code| -> Vec<u8> {
        let steps = &Content::packaged().tutorial(code).expect(code).steps;
        steps.iter().filter(|step| step.turn_away).map(|step| step.number).collect()
    };
    assert_eq!(away("T1"), [7, 9, 10, 11, 12]);
    assert_eq!(away("T2"), [12]);
    assert_eq!(away("T3"), [1, 3, 10, 11]);
}

#[test]
fn a_sign_of_malware_stops_everything() {
    let content = Content::packaged();
    assert_eq!(content.failure_code("X1").map(|code| code.action), Some(FailureAction::Stop));
    for (code, step) in [("T1", 5), ("T3", 2)] {
        let step = content.tutorial(code).and_then(|tutorial| tutorial.step(step)).expect(code);
        assert_eq!(step.safety_stop.as_deref(), Some("X1"));
    }
}

#[test]
fn the_portal_has_three_services_and_selling_has_two() {
    let services_of = |code| -> Vec<&str> {
        let results = &Content::packaged().tutorial(code).expect(code).results;
        results.iter().map(|result| result.service.as_str()).collect()
    };
    assert_eq!(services_of("T3"), ["portal_first_login", "portal_first_filing", "portal_later_filing"]);
    assert_eq!(services_of("T8"), ["ecommerce_account", "ecommerce_first_sale"]);
    let t3 = Content::packaged().tutorial("T3").expect("T3");
    assert_eq!(
        t3.steps_of("portal_first_login").map(|step| step.number).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(t3.steps_of("portal_later_filing").count(), 7);
}

#[test]
fn the_release_has_nine_tutorials_and_every_one_a_service() {
    let content = Content::packaged();
    let codes: Vec<&str> = content.tutorials().map(|tutorial| tutorial.code.as_str()).collect();
    assert_eq!(codes, ["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9"]);
    assert_eq!(content.services().count(), 13);
    assert!(content.service("smartphone_use").is_some_and(|service| service.tutorial.is_none()));
}

#[test]
fn a_review_holds_for_ninety_days() {
    let t1 = Content::packaged().tutorial("T1").expect("T1");
    let reviewed = t1.reviewed.expect("a review");
    assert!(!t1.is_out_of_date(CivilDate(reviewed.0 + 90)));
    assert!(t1.is_out_of_date(CivilDate(reviewed.0 + 91)));
    let outline = Content::packaged().tutorial("T9").expect("T9");
    assert!(!outline.is_out_of_date(CivilDate(reviewed.0 + 1_000)));
}

/// Edges between rows and what the hub or the team gives: no data about a citizen.
const NOT_OF_A_CITIZEN: [&str; 7] =
    ["household_id", "consent_id", "person_id", "merged_with", "moved_to", "copied_from", "rights_code"];

#[test]
fn the_consent_texts_name_every_kind_of_data_that_is_kept() {
    for (code, covers, tables) in [
        ("consent.script@1", Covers::Household, &["household", "person"][..]),
        ("consent.contact@1", Covers::Contact, &["contact"][..]),
    ] {
        let script =
            Content::packaged().consent_script(&code.parse().expect("a reference")).expect("a consent text");
        assert_eq!(script.covers, covers);
        let named: BTreeSet<&str> = script.fields().collect();
        for table in tables {
            for field in CURRENT.named(table).expect(table).fields {
                let name = format!("{table}.{}", field.name);
                let is_named = named.contains(name.as_str())
                    || NOT_OF_A_CITIZEN.contains(&field.name)
                    || name == "contact.expires_on";
                assert!(is_named, "{code} does not name {name}");
            }
        }
        // Read aloud in a minute at most, at some four syllables a second.
        assert!(script.text.vi.split_whitespace().count() < 200, "{code} is too long to read out");
    }
    let contact = Content::packaged().consent("consent.contact").expect("the text");
    assert_eq!(contact.retention_days, Some(90));
}

#[test]
fn the_words_keep_to_the_house_style() {
    for item in packaged::items().expect("the release") {
        let json = item.item.to_json().to_lowercase();
        for word in ["lí do", " bạn ", "!"] {
            assert!(!json.contains(word), "{}: {word}", item.file);
        }
    }
}
