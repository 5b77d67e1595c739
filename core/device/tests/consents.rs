//! Consents and contacts on a phone: what may be kept by which, and what goes when one is taken back.

mod support;

use langso_device::AppError;
use langso_device::companion::consents::{
    GetScript, GivenConsent, NewConsent, SavedConsent, WithdrawConsent,
};
use langso_device::companion::contacts::{NewContact, OfContact, SavedContact};
use langso_device::companion::drafts::{OfDraft, SaveDraft};
use langso_device::companion::households::OfHousehold;
use langso_device::companion::visits::{NewService, NewVisit};
use langso_domain::id::{ConsentId, HouseholdId};
use support::{MEMBER, Team, TestPhone, day, invalid};

fn phone_with_household() -> (Team, TestPhone, HouseholdId) {
    let mut team = Team::new();
    let mut phone = team.enrol("Lý Thị Sáu", MEMBER);
    team.bring(&mut phone);
    let (household, _) = phone.household(&team, "Hộ 12", 1);
    (team, phone, household)
}

fn given(text: &str) -> GivenConsent {
    GivenConsent { text: text.parse().expect("a reference"), way: 1, purposes: None, date: None }
}

fn consent(phone: &mut TestPhone, household: HouseholdId, text: &str) -> ConsentId {
    let new = NewConsent { household, given: given(text), token: None };
    phone.app().consents().record_consent(new).expect("saves").consent
}

fn contact(consent: ConsentId, household: HouseholdId) -> NewContact {
    NewContact {
        contact: None,
        consent,
        household,
        person: None,
        display_name: Some("Chìu Sám Múi".to_owned()),
        phone: Some("098 765 4321".to_owned()),
        expires_on: None,
        token: None,
    }
}

fn keep(phone: &mut TestPhone, new: NewContact) -> Result<SavedContact, AppError> {
    phone.app().contacts().save_contact(new)
}

#[test]
fn a_contact_lives_by_a_live_consent_to_contacts_of_its_household() {
    let (team, mut phone, household) = phone_with_household();
    let (other, _) = phone.household(&team, "Hộ 13", 1);
    let record = consent(&mut phone, household, "consent.script@1");
    let reach = consent(&mut phone, household, "consent.contact@1");
    assert_eq!(
        keep(&mut phone, contact(record, household)),
        Err(invalid("consent", "consent_without_contact"))
    );
    assert_eq!(
        keep(&mut phone, contact(reach, other)),
        Err(invalid("consent", "consent_of_other_household"))
    );
    let saved = keep(&mut phone, contact(reach, household)).expect("keeps");
    assert_eq!(saved.expires_on, day("2024-09-13"), "90 days from today");
    let late = NewContact { expires_on: Some(day("2024-09-14")), ..contact(reach, household) };
    assert_eq!(keep(&mut phone, late), Err(invalid("expires_on", "expires_too_late")));
}

#[test]
fn a_contact_under_a_dead_consent_is_refused_and_what_was_kept_by_it_is_gone() {
    let (_, mut phone, household) = phone_with_household();
    let reach = consent(&mut phone, household, "consent.contact@1");
    let kept = keep(&mut phone, contact(reach, household)).expect("keeps").contact;
    let draft = SaveDraft {
        draft: None,
        kind: "visit".to_owned(),
        body: serde_json::json!({ "gọi": "trước khi tới" }),
        consent: Some(reach),
    };
    let draft = phone.app().drafts().save_draft(draft).expect("keeps").draft;
    let withdraw = WithdrawConsent { consent: reach, date: None };
    let done = phone.app().consents().withdraw_consent(withdraw.clone()).expect("withdraws");
    assert_eq!((done.contacts, done.drafts), (vec![kept], 1));
    assert_eq!(keep(&mut phone, contact(reach, household)), Err(invalid("consent", "consent_dead")));
    assert_eq!(phone.app().drafts().get_draft(OfDraft { draft }), Err(AppError::NotFound));
    let of = OfHousehold { household };
    assert!(phone.app().households().get_household(of).expect("is there").contacts.is_empty());
    let left: u32 = phone.with_replica(|replica| {
        let sql = "SELECT count(*) FROM contacts WHERE display_name IS NOT NULL OR phone IS NOT NULL";
        replica.connection().query_row(sql, [], |row| row.get(0)).expect("reads")
    });
    assert_eq!(left, 0);
    phone.app().consents().withdraw_consent(withdraw).expect("twice is as once");
    let erased = phone.app().contacts().erase_contact(OfContact { contact: kept });
    assert_eq!(erased, Err(AppError::NotFound));
}

#[test]
fn no_visit_is_written_to_a_household_that_took_its_consent_back_and_an_anonymous_turn_is() {
    let (_, mut phone, household) = phone_with_household();
    let record = consent(&mut phone, household, "consent.script@1");
    let row = NewService::new(None, "scam_awareness", 1);
    let new = NewVisit { household: Some(household), services: vec![row], ..NewVisit::default() };
    phone.app().visits().log_visit(new.clone()).expect("saves");
    let withdraw = WithdrawConsent { consent: record, date: None };
    phone.app().consents().withdraw_consent(withdraw).expect("withdraws");
    assert_eq!(phone.app().visits().log_visit(new.clone()), Err(invalid("household", "consent_withdrawn")));
    let anonymous = NewVisit { household: None, ..new.clone() };
    phone.app().visits().log_visit(anonymous).expect("the service is given all the same");
    consent(&mut phone, household, "consent.script@1");
    phone.app().visits().log_visit(new).expect("a new consent is a new beginning");
}

#[test]
fn names_and_numbers_of_contacts_are_checked_and_kept_in_one_form() {
    let (_, mut phone, household) = phone_with_household();
    let reach = consent(&mut phone, household, "consent.contact@1");
    let base = contact(reach, household);
    let named = |name: &str| NewContact { display_name: Some(name.to_owned()), ..base.clone() };
    let numbered = |number: &str| NewContact { phone: Some(number.to_owned()), ..base.clone() };
    for (new, field, code) in [
        (named("Múi 0987654321"), "display_name", "never_store.phone"),
        (named("Múi 2"), "display_name", "name_digit"),
        (numbered("0123"), "phone", "phone_length"),
        (numbered("024 3825 1234"), "phone", "phone_landline"),
        (numbered("012345678901"), "phone", "phone_length"),
        (
            NewContact { display_name: None, phone: Some(" ".to_owned()), ..base.clone() },
            "display_name",
            "missing",
        ),
    ] {
        assert_eq!(keep(&mut phone, new), Err(invalid(field, code)), "{field} {code}");
    }
    for name in ["H'Leo Niê", "Y", "Sinh Dỉ Gai", "Đặng Thị Ngọc-Ánh"] {
        keep(&mut phone, named(name)).expect(name);
    }
    let kept: Vec<(String, String)> = phone.with_replica(|replica| {
        let sql = "SELECT display_name, phone FROM live_contacts ORDER BY v_stamp";
        let mut get = replica.connection().prepare(sql).expect("reads");
        let rows = get.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("reads");
        rows.map(|row| row.expect("a row")).collect()
    });
    assert_eq!(kept[0], ("H’Leo Niê".to_owned(), "0987654321".to_owned()));
}

#[test]
fn the_script_names_who_asks_and_a_consent_is_not_dated_before_the_team() {
    let (_, mut phone, household) = phone_with_household();
    let script = phone.app().consents().get_script(GetScript::default()).expect("a script");
    assert_eq!((script.purposes, script.has_newer), (1, false));
    assert_eq!(script.asked_by.as_deref(), Some("Lý Thị Sáu"));
    let save = |phone: &mut TestPhone, given: GivenConsent| -> Result<SavedConsent, AppError> {
        phone.app().consents().record_consent(NewConsent { household, given, token: None })
    };
    let base = given("consent.script@1");
    for (wrong, field, code) in [
        (GivenConsent { way: 9, ..base.clone() }, "given.way", "unknown_choice"),
        (GivenConsent { purposes: Some(2), ..base.clone() }, "given.purposes", "purpose_not_of_text"),
        (GivenConsent { purposes: Some(0), ..base.clone() }, "given.purposes", "missing"),
        (GivenConsent { date: Some(day("2022-05-11")), ..base.clone() }, "given.date", "before_team"),
        (GivenConsent { date: Some(day("2024-06-16")), ..base.clone() }, "given.date", "future_date"),
    ] {
        assert_eq!(save(&mut phone, wrong), Err(invalid(field, code)), "{field} {code}");
    }
}
