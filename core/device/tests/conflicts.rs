//! Conflicts seen and settled on two phones that exchange their changes by hand.

mod support;

use langso_device::companion::conflicts::{
    Conflict, ConflictPage, FieldValue, FindConflicts, SettleConflict,
};
use langso_device::companion::households::UpdateHousehold;
use langso_domain::id::{HouseholdId, RowId};
use langso_domain::registry::CURRENT;
use langso_domain::rights_code::RightsCode;
use support::{DAY_MS, HOUR_MS, LEAD, MEMBER, TRAINER, Team, TestPhone, exchange, invalid, not_allowed};

fn pair(team: &mut Team) -> (TestPhone, TestPhone) {
    let mut one = team.enrol("Chìu Sám Múi", MEMBER);
    let mut lead = team.enrol("H’Mai Êban", LEAD);
    team.bring(&mut one);
    team.bring(&mut lead);
    (one, lead)
}

fn set_hint(phone: &mut TestPhone, household: HouseholdId, hint: &str) {
    phone.save(|saving| saving.patch("household", household.0, [("hint", hint.into())]));
}

fn shelf(phone: &mut TestPhone) -> ConflictPage {
    phone.app().conflicts().list_conflicts(FindConflicts::default()).expect("lists")
}

fn keep(conflict: &Conflict, keep: FieldValue) -> SettleConflict {
    let seen = conflict.versions.iter().chain(conflict.edits_after_removal.iter().map(|edit| &edit.edit));
    let seen = seen.map(|version| version.version.clone()).collect();
    SettleConflict { conflict: conflict.key.clone(), keep, seen }
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text { value: text.to_owned() }
}

fn shown_hint(phone: &mut TestPhone, household: HouseholdId) -> Option<String> {
    phone.with_replica(|replica| {
        let sql = "SELECT hint FROM households WHERE id = ?1";
        replica.connection().query_row(sql, [household.0.0], |row| row.get(0)).expect("a household")
    })
}

/// Two hints written without seeing each other; the member's is the later one and shows.
fn two_hints(team: &mut Team) -> (TestPhone, TestPhone, HouseholdId) {
    let (mut one, mut lead) = pair(team);
    let (household, _) = one.household(team, "Hộ 12", 0);
    exchange(&mut one, &mut lead);
    set_hint(&mut lead, household, "cạnh trường");
    one.time.pass(HOUR_MS);
    set_hint(&mut one, household, "cạnh suối");
    exchange(&mut one, &mut lead);
    (one, lead, household)
}

#[test]
fn both_phones_show_both_versions_who_wrote_them_and_which_one_shows() {
    let mut team = Team::new();
    let (mut one, mut lead, household) = two_hints(&mut team);
    for (phone, may_settle) in [(&mut one, false), (&mut lead, true)] {
        let page = shelf(phone);
        assert_eq!((page.count, page.may_settle, page.conflicts.len()), (1, may_settle, 1));
        let conflict = &page.conflicts[0];
        assert_eq!((conflict.key.table.as_str(), conflict.key.field.as_str()), ("household", "hint"));
        assert_eq!((conflict.household, conflict.days_left), (Some(household), 60));
    }
    let versions = shelf(&mut one).conflicts.remove(0).versions;
    let told: Vec<_> = versions.iter().map(|v| (v.value.clone(), v.member, v.device, v.shows)).collect();
    assert_eq!(
        told,
        [
            (text("cạnh suối"), Some(one.member), Some(one.device), true),
            (text("cạnh trường"), Some(lead.member), Some(lead.device), false),
        ]
    );
    let apart = (versions[0].at - versions[1].at).abs_diff(HOUR_MS);
    assert!(apart <= langso_sync::clock::STEP_MS, "an hour apart, but for the steps of stamps: {apart} ms");
}

#[test]
fn what_the_lead_keeps_is_kept_on_both_phones() {
    let mut team = Team::new();
    let (mut one, mut lead, household) = two_hints(&mut team);
    let conflict = shelf(&mut lead).conflicts.remove(0);
    lead.app().conflicts().settle_conflict(keep(&conflict, text("cạnh trường"))).expect("settles");
    exchange(&mut one, &mut lead);
    for phone in [&mut one, &mut lead] {
        assert_eq!(shown_hint(phone, household).as_deref(), Some("cạnh trường"));
        assert_eq!(shelf(phone).count, 0);
    }
}

#[test]
fn what_was_kept_can_be_taken_back_and_kept_again_while_the_app_is_open() {
    let mut team = Team::new();
    let (mut one, mut lead, household) = two_hints(&mut team);
    let conflict = shelf(&mut lead).conflicts.remove(0);
    let conflicts = |phone: &mut TestPhone, settle| phone.app().conflicts().settle_conflict(settle);
    let settled = conflicts(&mut lead, keep(&conflict, text("cạnh trường"))).expect("settles");
    assert_eq!(settled.undo.keep, text("cạnh suối"));
    let again = conflicts(&mut lead, settled.undo).expect("takes back").undo;
    let undo = conflicts(&mut lead, again).expect("keeps again").undo;
    let other = SettleConflict { keep: text("cạnh chợ"), ..undo.clone() };
    conflicts(&mut lead, undo).expect("takes back");
    assert!(conflicts(&mut lead, other).is_err());
    exchange(&mut one, &mut lead);
    for phone in [&mut one, &mut lead] {
        assert_eq!(shown_hint(phone, household).as_deref(), Some("cạnh suối"));
        assert_eq!(shelf(phone).count, 0);
    }
}

#[test]
fn nothing_but_a_version_of_a_field_in_conflict_is_written() {
    let mut team = Team::new();
    let (_one, mut lead, household) = two_hints(&mut team);
    let conflict = shelf(&mut lead).conflicts.remove(0);
    let before = lead.written().len();
    let mut settle = |settle| lead.app().conflicts().settle_conflict(settle);
    assert_eq!(settle(keep(&conflict, text("cạnh chợ"))), Err(invalid("keep", "not_a_version")));
    assert_eq!(settle(keep(&conflict, FieldValue::Empty)), Err(invalid("keep", "not_a_version")));
    let of = |field: &str| {
        let mut settle = keep(&conflict, FieldValue::Truth { value: true });
        settle.conflict.field = field.to_owned();
        settle
    };
    let of_void = of("void");
    assert_eq!(settle(of_void), Err(invalid("conflict", "no_conflict")));
    let label = SettleConflict { keep: text("Hộ 13"), ..of("label") };
    assert_eq!(settle(label), Err(invalid("conflict", "no_conflict")));
    assert_eq!(lead.written().len(), before);
    assert_eq!(shown_hint(&mut lead, household).as_deref(), Some("cạnh suối"));
}

#[test]
fn a_number_of_a_contact_is_settled_to_one_that_was_kept_and_to_no_other() {
    let mut team = Team::new();
    let (mut one, mut lead) = pair(&mut team);
    let (household, _) = one.household(&team, "Hộ 12", 0);
    let fields = [("household_id", household.0.into()), ("phone", "0912345678".into())];
    let contact = one.save(|saving| saving.create("contact", fields));
    exchange(&mut one, &mut lead);
    for (phone, number) in [(&mut one, "0912345679"), (&mut lead, "0987654321")] {
        phone.save(|saving| saving.patch("contact", contact, [("phone", number.into())]));
    }
    exchange(&mut one, &mut lead);
    let conflict = shelf(&mut lead).conflicts.remove(0);
    let mut settle = |value| lead.app().conflicts().settle_conflict(keep(&conflict, value));
    for other in ["0912345678", "022054001234", "Bàn Văn Sếnh"] {
        assert_eq!(settle(text(other)), Err(invalid("keep", "not_a_version")));
    }
    settle(text("0987654321")).expect("settles");
}

#[test]
fn a_household_whose_consent_came_back_by_settling_can_be_written_to_at_once() {
    let mut team = Team::new();
    let (mut one, mut lead) = pair(&mut team);
    let (household, _) = one.household(&team, "Hộ 12", 0);
    let fields = [("household_id", household.0.into()), ("purposes", 1u8.into())];
    let consent = one.save(|saving| saving.create("consent", fields));
    exchange(&mut one, &mut lead);
    lead.save(|saving| saving.patch("consent", consent, [("way", 1u8.into())]));
    one.save(|saving| saving.patch("consent", consent, [("void", true.into())]));
    one.save(|saving| {
        let day = support::date("2024-06-14");
        saving.create(
            "consent",
            [("household_id", household.0.into()), ("purposes", 1u8.into()), ("withdrawn_on", day.into())],
        )
    });
    exchange(&mut one, &mut lead);
    let hint = |phone: &mut TestPhone| {
        let hint = Some(Some("cạnh suối".to_owned()).into());
        phone.app().households().update_household(UpdateHousehold { hint, ..UpdateHousehold::of(household) })
    };
    assert_eq!(hint(&mut lead), Err(invalid("household", "consent_withdrawn")));
    let conflict = shelf(&mut lead).conflicts.remove(0);
    let settle = keep(&conflict, FieldValue::Truth { value: false });
    lead.app().conflicts().settle_conflict(settle).expect("settles");
    hint(&mut lead).expect("writes");
}

#[test]
fn a_version_that_came_after_the_screen_was_drawn_is_not_passed_over() {
    let mut team = Team::new();
    let (mut one, mut lead, household) = two_hints(&mut team);
    let drawn = shelf(&mut lead).conflicts.remove(0);
    let mut third = team.enrol("Hoàng Thị Đượm", MEMBER);
    team.bring(&mut third);
    // Has the household only, neither of the two hints.
    let (of_one, first) = one.written().remove(0);
    let device = one.device;
    third.with_replica(|replica| {
        let mut batch = replica.begin().expect("begins");
        batch.apply(of_one, device, &first).expect("applies");
        batch.commit().expect("commits");
    });
    set_hint(&mut third, household, "cạnh nhà văn hóa");
    lead.take_from(&mut third);
    assert_eq!(shelf(&mut lead).conflicts[0].versions.len(), 3);
    let settle = keep(&drawn, text("cạnh trường"));
    assert_eq!(lead.app().conflicts().settle_conflict(settle), Err(invalid("seen", "changed")));
    assert_eq!(shelf(&mut lead).count, 1);
}

#[test]
fn an_edit_after_removal_is_shown_with_what_was_edited_and_either_can_be_kept() {
    for is_void in [true, false] {
        let mut team = Team::new();
        let (mut one, mut lead) = pair(&mut team);
        let (household, _) = one.household(&team, "Hộ 12", 0);
        exchange(&mut one, &mut lead);
        lead.save(|saving| saving.patch("household", household.0, [("void", true.into())]));
        set_hint(&mut one, household, "cạnh suối");
        exchange(&mut one, &mut lead);
        let conflict = shelf(&mut lead).conflicts.remove(0);
        assert_eq!(conflict.key.field, "void");
        assert_eq!(conflict.versions[0].member, Some(lead.member));
        let edits: Vec<_> = conflict
            .edits_after_removal
            .iter()
            .map(|edit| (edit.field.as_str(), edit.edit.value.clone(), edit.edit.member))
            .collect();
        assert_eq!(edits, [("hint", text("cạnh suối"), Some(one.member))]);
        let settle = keep(&conflict, FieldValue::Truth { value: is_void });
        lead.app().conflicts().settle_conflict(settle).expect("settles");
        exchange(&mut one, &mut lead);
        for phone in [&mut one, &mut lead] {
            assert_eq!(shelf(phone).count, 0);
            let live: i64 = phone.with_replica(|replica| {
                let sql = "SELECT count(*) FROM live_households";
                replica.connection().query_row(sql, [], |row| row.get(0)).expect("counts")
            });
            assert_eq!(live, i64::from(!is_void));
        }
    }
}

#[test]
fn only_those_who_lead_settle_and_trainers_see_no_conflict() {
    let mut team = Team::new();
    let (mut one, _lead, _) = two_hints(&mut team);
    let conflict = shelf(&mut one).conflicts.remove(0);
    let settle = keep(&conflict, text("cạnh suối"));
    assert_eq!(one.app().conflicts().settle_conflict(settle), Err(not_allowed("role")));
    let mut trainer = team.enrol("Nguyễn Trần Vĩnh Thụy", TRAINER);
    team.bring(&mut trainer);
    let refused = trainer.app().conflicts().list_conflicts(FindConflicts::default());
    assert_eq!(refused, Err(not_allowed("role")));
}

#[test]
fn what_is_of_another_type_and_what_is_never_stored_is_refused() {
    let mut team = Team::new();
    let (_one, mut lead, _) = two_hints(&mut team);
    let conflict = shelf(&mut lead).conflicts.remove(0);
    let mut settle = |value| lead.app().conflicts().settle_conflict(keep(&conflict, value));
    assert_eq!(settle(FieldValue::Number { value: 3 }), Err(invalid("keep", "not_a_version")));
    let id = text("cụ có số 022054001234");
    assert_eq!(settle(id), Err(invalid("keep", "never_store.citizen_id")));
    assert_eq!(shelf(&mut lead).count, 1);
}

#[test]
fn days_run_down_from_the_newer_version() {
    let mut team = Team::new();
    let (_one, mut lead, _) = two_hints(&mut team);
    lead.time.pass(10 * DAY_MS);
    assert_eq!(shelf(&mut lead).conflicts[0].days_left, 50);
    lead.time.pass(80 * DAY_MS);
    assert_eq!(shelf(&mut lead).conflicts[0].days_left, 0);
}

#[test]
fn a_settled_fact_carries_a_reason() {
    let mut team = Team::new();
    let (mut one, mut lead) = pair(&mut team);
    let visit = one.visit(&team, None, "2024-06-10", &[(None, "vneid_level2@1", 1)]);
    exchange(&mut one, &mut lead);
    let set_place = |phone: &mut TestPhone, place: u8| {
        phone.save(|saving| saving.patch("visit", visit.0, [("place", place.into())]));
    };
    set_place(&mut one, 1);
    set_place(&mut lead, 2);
    exchange(&mut one, &mut lead);
    let conflict = shelf(&mut lead).conflicts.remove(0);
    assert_eq!(conflict.visit, Some(visit));
    lead.app()
        .conflicts()
        .settle_conflict(keep(&conflict, FieldValue::Number { value: 2 }))
        .expect("settles");
    let (_, change) = lead.written().pop().expect("a change");
    assert!(change.extras.contains_key(&langso_sync::change::extra::REASON));
    let table = CURRENT.named("visit").expect("a table").number;
    assert_eq!(change.rows[0].table, table);
}

#[test]
fn conflicts_of_a_page_are_followed_by_those_after_its_key() {
    let mut team = Team::new();
    let (mut one, mut lead) = pair(&mut team);
    let households: Vec<RowId> = one.save(|saving| {
        (0..120).map(|at| saving.create("household", [("label", format!("Hộ {at}").into())])).collect()
    });
    exchange(&mut one, &mut lead);
    for (phone, hint) in [(&mut one, "cạnh suối"), (&mut lead, "cạnh trường")] {
        phone.save(|saving| {
            households.iter().try_for_each(|id| saving.patch("household", *id, [("hint", hint.into())]))
        });
    }
    exchange(&mut one, &mut lead);
    let first = shelf(&mut lead);
    assert_eq!((first.conflicts.len(), first.count), (100, 120));
    let after = FindConflicts { after: first.next };
    let second = lead.app().conflicts().list_conflicts(after).expect("lists");
    assert_eq!((second.conflicts.len(), second.next), (20, None));
}

#[test]
fn two_codes_on_two_slips_of_one_household_are_settled_to_the_one_that_the_citizen_keeps() {
    let mut team = Team::new();
    let (mut one, mut lead) = pair(&mut team);
    let (household, _) = one.household(&team, "Hộ 12", 0);
    exchange(&mut one, &mut lead);
    let codes = [31u64 << 5 | 3, 30 << 10 | 7].map(|random| RightsCode::from_random(random).expect("a code"));
    for (phone, code) in [(&mut one, codes[0]), (&mut lead, codes[1])] {
        let field = [("rights_code", code.to_bytes().to_vec().into())];
        phone.save(|saving| saving.patch("household", household.0, field));
    }
    exchange(&mut one, &mut lead);
    let conflict = shelf(&mut lead).conflicts.remove(0);
    assert_eq!(conflict.key.field, "rights_code");
    let mut shown: Vec<_> = conflict.versions.iter().map(|version| version.value.clone()).collect();
    let mut wanted = codes.map(|code| text(&code.to_string())).to_vec();
    let by_text = |value: &FieldValue| format!("{value:?}");
    shown.sort_by_key(by_text);
    wanted.sort_by_key(by_text);
    assert_eq!(shown, wanted);
    let settle = keep(&conflict, text(&codes[0].to_string()));
    lead.app().conflicts().settle_conflict(settle).expect("settles");
    exchange(&mut one, &mut lead);
    for phone in [&mut one, &mut lead] {
        assert_eq!(shelf(phone).count, 0);
        let kept: Vec<u8> = phone.with_replica(|replica| {
            let sql = "SELECT rights_code FROM households WHERE id = ?1";
            replica.connection().query_row(sql, [household.0.0], |row| row.get(0)).expect("a household")
        });
        assert_eq!(kept, codes[0].to_bytes());
    }
}
