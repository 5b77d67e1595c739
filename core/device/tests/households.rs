//! Households on a phone: written down by consent, found, opened, corrected.

mod support;

use langso_device::AppError;
use langso_device::companion::Nothing;
use langso_device::companion::consents::{GivenConsent, NewConsent, WithdrawConsent};
use langso_device::companion::households::{
    AddPerson, CheckLabel, GivenContact, MoveHousehold, NewHousehold, NewPerson, OfHousehold, SavedHousehold,
    SuggestLabel, UpdateHousehold, UpdatePerson,
};
use support::{LEAD, MEMBER, TRAINER, Team, TestPhone, day, invalid, not_allowed};

fn consent(text: &str) -> GivenConsent {
    GivenConsent { text: text.parse().expect("a reference"), way: 1, purposes: None, date: None }
}

fn person() -> NewPerson {
    NewPerson { band: Some(4), phone_kind: Some(3), ..NewPerson::default() }
}

fn household(team: &Team, label: &str) -> NewHousehold {
    NewHousehold {
        label: label.to_owned(),
        hint: None,
        hamlet: Some(team.hamlet),
        poverty: None,
        persons: vec![person()],
        consent: Some(consent("consent.script@1")),
        contact: None,
        token: None,
    }
}

fn contact(name: &str, number: &str) -> GivenContact {
    GivenContact {
        consent: Some(consent("consent.contact@1")),
        person: Some(0),
        display_name: Some(name.to_owned()),
        phone: Some(number.to_owned()),
        expires_on: None,
    }
}

fn member_phone() -> (Team, TestPhone) {
    let mut team = Team::new();
    let mut phone = team.enrol("Lý Thị Sáu", MEMBER);
    team.bring(&mut phone);
    (team, phone)
}

fn create(phone: &mut TestPhone, new: NewHousehold) -> Result<SavedHousehold, AppError> {
    phone.app().households().create_household(new)
}

#[test]
fn a_household_is_written_with_its_consent_persons_and_contact_in_one_change() {
    let (team, mut phone) = member_phone();
    let new = NewHousehold {
        hint: Some("cạnh  trường".to_owned()),
        poverty: Some(1),
        persons: vec![person(), person()],
        contact: Some(contact("Chìu Sám Múi", "098 765 4321")),
        ..household(&team, " Hộ 12 ")
    };
    let saved = create(&mut phone, new).expect("saves");
    assert_eq!(saved.persons.len(), 2);
    assert!(saved.contact.is_some());
    assert_ne!(saved.contact_consent, Some(saved.consent));
    let written = phone.written();
    assert_eq!(written.len(), 1);
    assert_eq!(written[0].1.rows.len(), 6);
}

#[test]
fn without_a_consent_to_the_record_nothing_is_written() {
    let (team, mut phone) = member_phone();
    let none = NewHousehold { consent: None, ..household(&team, "Hộ 1") };
    assert_eq!(create(&mut phone, none), Err(invalid("consent", "missing")));
    let other = NewHousehold { consent: Some(consent("consent.contact@1")), ..household(&team, "Hộ 1") };
    assert_eq!(create(&mut phone, other), Err(invalid("consent", "consent_without_record")));
    let unknown = NewHousehold { consent: Some(consent("consent.script@9")), ..household(&team, "Hộ 1") };
    assert_eq!(create(&mut phone, unknown), Err(invalid("consent.text", "unknown_text")));
    assert!(phone.written().is_empty());
}

#[test]
fn a_contact_needs_a_consent_of_its_own() {
    let (team, mut phone) = member_phone();
    let bare = GivenContact { consent: None, ..contact("Múi", "0987654321") };
    let new = NewHousehold { contact: Some(bare), ..household(&team, "Hộ 1") };
    assert_eq!(create(&mut phone, new), Err(invalid("contact.consent", "consent_without_contact")));
    let wrong = GivenContact { consent: Some(consent("consent.script@1")), ..contact("Múi", "0987654321") };
    let new = NewHousehold { contact: Some(wrong), ..household(&team, "Hộ 1") };
    assert_eq!(create(&mut phone, new), Err(invalid("contact.consent", "consent_without_contact")));
}

#[test]
fn a_second_tap_saves_once() {
    let (team, mut phone) = member_phone();
    let new = NewHousehold { token: Some("form-1".to_owned()), ..household(&team, "Hộ 1") };
    let first = create(&mut phone, new.clone()).expect("saves");
    assert_eq!(create(&mut phone, new), Ok(first));
    assert_eq!(phone.written().len(), 1);
}

#[test]
fn every_wrong_field_of_a_household_is_named() {
    let (team, mut phone) = member_phone();
    let base = household(&team, "Hộ 1");
    let of_person = |person| NewHousehold { persons: vec![self::person(), person], ..base.clone() };
    let stranger = langso_domain::id::HamletId(langso_domain::id::RowId([7; 12]));
    for (new, field, code) in [
        (NewHousehold { label: "  ".to_owned(), ..base.clone() }, "label", "missing"),
        (NewHousehold { label: "a".repeat(121), ..base.clone() }, "label", "too_long"),
        (
            NewHousehold { hint: Some("số 0987654321".to_owned()), ..base.clone() },
            "hint",
            "never_store.phone",
        ),
        (
            NewHousehold { label: "CCCD 022185001234".to_owned(), ..base.clone() },
            "label",
            "never_store.citizen_id",
        ),
        (NewHousehold { hamlet: Some(stranger), ..base.clone() }, "hamlet", "not_found"),
        (NewHousehold { poverty: Some(9), ..base.clone() }, "poverty", "unknown_choice"),
        (NewHousehold { persons: vec![person(); 31], ..base.clone() }, "persons", "too_many"),
        (of_person(NewPerson::default()), "persons[1].band", "missing"),
        (of_person(NewPerson { band: Some(77), ..person() }), "persons[1].band", "unknown_choice"),
        (
            of_person(NewPerson { birth_year: Some(1980), ..person() }),
            "persons[1].birth_year",
            "band_or_year",
        ),
        (
            of_person(NewPerson { band: None, birth_year: Some(2030), ..person() }),
            "persons[1].birth_year",
            "out_of_range",
        ),
        (of_person(NewPerson { own_sim: Some(4), ..person() }), "persons[1].own_sim", "unknown_choice"),
    ] {
        assert_eq!(create(&mut phone, new), Err(invalid(field, code)), "{field} {code}");
    }
    assert!(phone.written().is_empty());
}

#[test]
fn labels_are_kept_in_one_form_with_one_apostrophe() {
    let (team, mut phone) = member_phone();
    let decomposed = "Ho\u{323}\u{302}  H'Leo";
    let saved = create(&mut phone, household(&team, decomposed)).expect("saves");
    let sql = "SELECT label FROM households WHERE id = ?1";
    let label: String = phone.with_replica(|replica| {
        replica.connection().query_row(sql, [saved.household.0.0], |row| row.get(0)).expect("is there")
    });
    assert_eq!(label, "Hộ H’Leo");
}

#[test]
fn a_label_that_reads_like_a_name_is_only_asked_about() {
    let (team, mut phone) = member_phone();
    let check = |phone: &mut TestPhone, label: &str| {
        let of = CheckLabel { label: label.to_owned(), hint: None };
        phone.app().households().check_label(of).expect("answers")
    };
    assert!(check(&mut phone, "nhà bà Hoa").looks_like_name);
    assert!(!check(&mut phone, "Hộ 12").looks_like_name);
    assert_eq!(check(&mut phone, "").problems[0].code, "missing");
    create(&mut phone, household(&team, "nhà bà Hoa")).expect("saves all the same");
}

#[test]
fn the_next_number_of_the_hamlet_is_suggested() {
    let (team, mut phone) = member_phone();
    let of = SuggestLabel { hamlet: Some(team.hamlet) };
    assert_eq!(phone.app().households().suggest_label(of).expect("answers").label, "Hộ 1");
    for label in ["Hộ 7", "hộ 12", "cạnh trường 99"] {
        create(&mut phone, household(&team, label)).expect("saves");
    }
    assert_eq!(phone.app().households().suggest_label(of).expect("answers").label, "Hộ 13");
    let elsewhere = SuggestLabel::default();
    assert_eq!(phone.app().households().suggest_label(elsewhere).expect("answers").label, "Hộ 1");
}

#[test]
fn persons_join_and_are_corrected_and_what_is_not_named_stays() {
    let (team, mut phone) = member_phone();
    let saved = create(&mut phone, household(&team, "Hộ 1")).expect("saves");
    let joined = AddPerson { household: saved.household, person: person(), token: None };
    let joined = phone.app().households().add_person(joined).expect("saves").person;
    let update =
        UpdatePerson { nfc: Some(Some(1).into()), phone_kind: Some(None.into()), ..UpdatePerson::of(joined) };
    phone.app().households().update_person(update).expect("saves");
    let sql = "SELECT band, phone_kind, nfc FROM persons WHERE id = ?1";
    let found: (u8, Option<u8>, u8) = phone.with_replica(|replica| {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        replica.connection().query_row(sql, [joined.0.0], read).expect("is there")
    });
    assert_eq!(found, (4, None, 1));
    let wrong = UpdatePerson { birth_year: Some(Some(1950).into()), ..UpdatePerson::of(joined) };
    assert_eq!(phone.app().households().update_person(wrong), Err(invalid("birth_year", "band_or_year")));
    let right = UpdatePerson {
        band: Some(None.into()),
        birth_year: Some(Some(1950).into()),
        ..UpdatePerson::of(joined)
    };
    assert_eq!(phone.app().households().update_person(right), Ok(Nothing {}));
}

#[test]
fn a_household_is_corrected_moved_and_struck_out() {
    let (mut team, mut phone) = member_phone();
    let other = langso_domain::id::HamletId(
        team.write("hamlet", &[("name", "Thôn Ngàn Chi".into()), ("unit", support::UNIT.into())]),
    );
    team.bring(&mut phone);
    let saved = create(&mut phone, household(&team, "Hộ 1")).expect("saves").household;
    let update = UpdateHousehold { label: Some("Hộ 2".to_owned()), ..UpdateHousehold::of(saved) };
    phone.app().households().update_household(update).expect("saves");
    let to = MoveHousehold { household: saved, hamlet: other };
    phone.app().households().move_household(to).expect("moves");
    let empty = UpdateHousehold { label: Some(" ".to_owned()), ..UpdateHousehold::of(saved) };
    assert_eq!(phone.app().households().update_household(empty), Err(invalid("label", "missing")));
    let of = OfHousehold { household: saved };
    phone.app().households().void_household(of).expect("strikes out");
    phone.app().households().void_household(of).expect("twice is as once");
    let update = UpdateHousehold::of(saved);
    assert_eq!(phone.app().households().update_household(update), Err(AppError::NotFound));
}

#[test]
fn nothing_is_added_to_a_household_whose_consent_was_withdrawn() {
    let (team, mut phone) = member_phone();
    let saved = create(&mut phone, household(&team, "Hộ 1")).expect("saves");
    let withdraw = WithdrawConsent { consent: saved.consent, date: None };
    phone.app().consents().withdraw_consent(withdraw).expect("withdraws");
    let add = AddPerson { household: saved.household, person: person(), token: None };
    assert_eq!(
        phone.app().households().add_person(add.clone()),
        Err(invalid("household", "consent_withdrawn"))
    );
    let again = NewConsent { household: saved.household, given: consent("consent.script@1"), token: None };
    phone.app().consents().record_consent(again).expect("saves");
    phone.app().households().add_person(add).expect("saves");
}

#[test]
fn a_trainer_writes_no_household() {
    let mut team = Team::new();
    let mut trainer = team.enrol("Trần Văn Giảng", TRAINER);
    let mut lead = team.enrol("Đặng Văn Tư", LEAD);
    team.bring(&mut trainer);
    team.bring(&mut lead);
    assert_eq!(create(&mut trainer, household(&team, "Hộ 1")), Err(not_allowed("role")));
    let late = GivenConsent { date: Some(day("2030-01-01")), ..consent("consent.script@1") };
    let new = NewHousehold { consent: Some(late), ..household(&team, "Hộ 1") };
    assert_eq!(create(&mut lead, new), Err(invalid("consent.date", "future_date")));
}

#[test]
fn the_slip_has_one_code_for_ever_and_none_without_a_consent() {
    let (team, mut phone) = member_phone();
    let saved = create(&mut phone, household(&team, "Hộ 1")).expect("saves");
    let of = OfHousehold { household: saved.household };
    let slip = phone.app().households().get_rights_slip(of).expect("gives a code");
    assert!(langso_domain::rights_code::RightsCode::parse(&slip.code).is_some(), "{}", slip.code);
    let before = phone.written().len();
    assert_eq!(phone.app().households().get_rights_slip(of), Ok(slip));
    assert_eq!(phone.written().len(), before);
    let (bare, _) = phone.household(&team, "Hộ 2", 0);
    let refused = phone.app().households().get_rights_slip(OfHousehold { household: bare });
    assert_eq!(refused, Err(invalid("household", "no_consent")));
}
