//! What a ledger writes, word by word: codes, reasons, names, notes and published figures are such as the
//! product takes.

use std::collections::BTreeSet;

use langso_domain::content::{Content, ContentRef};
use langso_domain::never_store::check_free_text;
use langso_domain::text;
use langso_domain::units::{UnitCode, Units};

use super::super::codes::{self, Outcome, Service};
use super::super::content::Content as Known;
use super::super::event::What;
use super::super::{CampaignError, service_references, stock};
use super::{packaged, visits};

#[test]
fn every_failure_code_of_the_ready_tutorials_and_every_outcome_occurs() {
    let (_, ledger) = packaged();
    let content = Known::packaged().expect("packaged");
    let mut met = BTreeSet::new();
    let mut outcomes = BTreeSet::new();
    for row in visits(ledger).flat_map(|(_, visit)| &visit.rows) {
        outcomes.insert(row.outcome);
        let Some(run) = &row.run else { continue };
        let failed = run.steps.iter().zip(1u8..).find(|(byte, _)| **byte >= 16);
        assert_eq!(failed.map(|(byte, _)| *byte), row.failure.map(|failure| failure.0));
        assert_eq!(run.steps.iter().rposition(|byte| *byte != 0), Some(usize::from(run.last_step) - 1));
        met.extend(failed.map(|(byte, step)| (run.tutorial.clone(), step, *byte)));
    }
    assert_eq!(outcomes.len(), Outcome::ALL.len());
    let wanted = content.every_failure();
    assert!(wanted.len() > 50);
    for (service, step, failure) in wanted {
        let tutorial = content.service(service).walk.as_ref().expect("walked").tutorial.clone();
        let (code, number) = (&content.failures[failure].code, content.failures[failure].number.0);
        assert!(met.contains(&(tutorial.clone(), step, number)), "{code} at step {step} of {tutorial}");
    }
    for code in ["T1", "T2", "T3"] {
        let tutorial = Content::packaged().tutorial(code).expect(code);
        let steps = tutorial.steps.iter().flat_map(|step| tutorial.failures_at(step.number));
        for failure in steps.collect::<BTreeSet<_>>() {
            let number = content.failures.iter().find(|one| one.code == failure).expect(failure).number.0;
            assert!(
                met.iter().any(|(one, _, byte)| one.starts_with(code) && *byte == number),
                "{code} {failure}"
            );
        }
    }
}

#[test]
fn the_product_would_accept_every_service_row() {
    let (_, ledger) = packaged();
    let references = service_references().expect("packaged");
    let refer = |service: &Service| ContentRef::new(service.code(), 1).expect("a code");
    assert!(Service::ALL.iter().all(|one| references[one] == format!("{}@1", one.code())));
    for row in visits(ledger).flat_map(|(_, visit)| &visit.rows) {
        let (failure, evidence) = (row.failure.map(|one| one.0), row.evidence.map(codes::Evidence::number));
        Content::packaged()
            .check_service_row(&refer(&row.service), row.outcome.number(), failure, evidence)
            .unwrap_or_else(|why| panic!("{why}: {row:?}"));
    }
    assert!(visits(ledger).all(|(_, visit)| (1..=20).contains(&visit.rows.len())));
}

#[test]
fn no_free_text_holds_what_is_never_stored() {
    let (_, ledger) = packaged();
    for team in &ledger.header.teams {
        for member in &team.members {
            assert_eq!(text::check_name(&member.name).as_deref(), Ok(member.name.as_str()));
        }
        assert!(team.hamlets.iter().all(|hamlet| check_free_text(&hamlet.name).is_empty()));
    }
    for event in &ledger.events {
        let texts: Vec<&String> = match &event.what {
            What::Visit(visit) => visit.note.iter().collect(),
            What::Household(one) => {
                assert!(one.hint.iter().chain([&one.label]).all(|text| !text::looks_like_name(text)));
                one.hint.iter().chain([&one.label]).collect()
            }
            What::FollowUp(one) => one.note.iter().collect(),
            What::Session(one) => vec![&one.topic, &one.organiser],
            What::Group(one) => vec![&one.name],
            What::Grant(one) => vec![&one.donor],
            What::WorkDay { reason, .. } => vec![reason],
            _ => continue,
        };
        for one in texts {
            assert!(check_free_text(one).is_empty() && text::nfc(one) == *one, "{one}");
        }
    }
}

#[test]
fn codes_are_those_of_the_packaged_lists() {
    fn same(list: &str, values: &[(u8, &str)]) {
        let list = Content::packaged().list(list).expect(list);
        for (number, code) in values {
            assert_eq!(list.number(*number).map(|entry| entry.code.as_str()), Some(*code), "{}", list.code);
        }
    }
    macro_rules! same {
        ($($name:ident)+) => {
            $(same(codes::$name::LIST, &codes::$name::ALL.iter().map(|one| (one.number(), one.code())).collect::<Vec<_>>());)+
        };
    }
    same!(Outcome Evidence Place Signal AgeBand PhoneKind YesNo Sex Poverty ConsentWay Language SessionKind);
    same!(GrantItem GroupKind HalfDay TeamKind Role);
    for service in Service::ALL {
        let json = serde_json::to_string(service).expect("a word");
        assert_eq!(json, format!("\"{}\"", service.code()));
    }
}

#[test]
fn stock_figures_keep_their_operators_and_unknowns() {
    let stock = stock::read_stock(stock::packaged_csv()).expect("packaged");
    let of = |code: &str| stock.iter().find(|one| one.indicator == code).expect(code);
    assert_eq!(stock.len(), 7);
    let level2 = of("vneid_level2_rate");
    assert_eq!((level2.numerator, level2.denominator), (Some(230_540), Some(264_866)));
    assert_eq!((of("telehealth_rate").value, of("telehealth_rate").denominator), (62_500, None));
    assert_eq!(of("digital_signatures").operator, "<~");
    assert!([of("insurance_book_rate"), of("smartphone_rate")].iter().all(|one| one.operator == ">"));
    let figures = Content::packaged().list("published_figures").expect("the list");
    for one in &stock {
        assert!(figures.code(&one.indicator).is_some(), "{}", one.indicator);
        assert!(UnitCode::parse(&one.unit).is_some_and(|unit| Units::packaged().latest(unit).is_some()));
    }
    let broken = stock::packaged_csv().replace(",>,96", ",?,96");
    assert!(matches!(stock::read_stock(&broken), Err(CampaignError::Stock { line: 6 })));
}
