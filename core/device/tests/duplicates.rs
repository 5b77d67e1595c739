//! Households written down twice: found, joined, taken apart.

#[path = "../../sync/tests/fuzz/mill.rs"]
mod mill;
mod support;

use langso_device::AppError;
use langso_device::companion::consents::{GivenConsent, NewConsent, WithdrawConsent};
use langso_device::companion::duplicates::{
    FindSimilar, Joinable, Likeness, ListPairs, MergeRows, SplitMerged, TwoHouseholds,
};
use langso_device::companion::households::{OfHousehold, UpdateHousehold};
use langso_device::companion::visits::{NewService, NewVisit};
use langso_domain::id::{ConsentId, HouseholdId, PersonId};
use serde_json::json;
use support::{LEAD, MEMBER, Team, TestPhone, exchange, invalid, not_allowed};

fn lead() -> (Team, TestPhone) {
    let mut team = Team::new();
    let mut lead = team.enrol("Đặng Văn Tư", LEAD);
    team.bring(&mut lead);
    (team, lead)
}

fn merge(phone: &mut TestPhone, one: HouseholdId, other: HouseholdId) -> Result<HouseholdId, AppError> {
    let merged = phone.app().duplicates().merge_rows(MergeRows {
        table: Joinable::Household,
        one: one.0,
        other: other.0,
    })?;
    Ok(HouseholdId(merged.shows))
}

/// What shows for a household, and how many rows are joined to it.
fn shown(phone: &mut TestPhone, household: HouseholdId) -> (HouseholdId, usize) {
    let detail = phone.app().households().get_household(OfHousehold { household }).expect("is there");
    (detail.household, detail.joined.len())
}

#[test]
fn a_new_household_that_may_be_there_already_is_asked_about_with_the_reasons() {
    let (team, mut lead) = lead();
    let (there, _) = lead.household(&team, "Hộ 12", 2);
    lead.household(&team, "Hộ 13", 2);
    let find =
        |label: &str, hamlet| FindSimilar { label: label.to_owned(), hamlet, ..FindSimilar::default() };
    let similar =
        lead.app().duplicates().find_similar(find("HỘ  12", Some(team.hamlet))).expect("answers").similar;
    assert_eq!(similar.len(), 1);
    assert_eq!(
        (similar[0].household.household, similar[0].reasons.as_slice()),
        (there, &[Likeness::SameLabel][..])
    );
    assert!(lead.app().duplicates().find_similar(find("Hộ 12", None)).expect("answers").similar.is_empty());
    assert!(
        lead.app()
            .duplicates()
            .find_similar(find("", Some(team.hamlet)))
            .expect("answers")
            .similar
            .is_empty()
    );
}

#[test]
fn likely_pairs_are_listed_until_they_are_joined_or_dismissed() {
    let (team, mut lead) = lead();
    let (one, _) = lead.household(&team, "Hộ 12", 2);
    let (other, _) = lead.household(&team, "hộ 12", 2);
    let (third, _) = lead.household(&team, "Hộ 7", 1);
    let (fourth, _) = lead.household(&team, "Hộ 7", 2);
    let pairs =
        |lead: &mut TestPhone| lead.app().duplicates().list_pairs(ListPairs::default()).expect("answers");
    let found = pairs(&mut lead);
    assert_eq!(found.count, 2);
    let reasons: Vec<_> = found.pairs.iter().map(|pair| pair.reasons.len()).collect();
    assert_eq!(reasons.iter().max(), Some(&2));
    merge(&mut lead, one, other).expect("joins");
    lead.app().duplicates().dismiss_pair(TwoHouseholds { one: fourth, other: third }).expect("dismisses");
    assert_eq!(pairs(&mut lead).count, 0);
}

#[test]
fn joined_households_show_as_the_smallest_whatever_the_order_and_bring_their_rows() {
    let (team, mut lead) = lead();
    let made: Vec<_> = (0..4).map(|at| lead.household(&team, &format!("Hộ {at}"), 1)).collect();
    let ids: Vec<HouseholdId> = made.iter().map(|(id, _)| *id).collect();
    for (id, persons) in &made {
        lead.visit(&team, Some(*id), "2024-06-01", &[(Some(persons[0]), "vneid_level2@1", 1)]);
    }
    let smallest = *ids.iter().min().expect("four");
    merge(&mut lead, ids[2], ids[3]).expect("joins");
    merge(&mut lead, ids[1], ids[0]).expect("joins");
    assert_eq!(merge(&mut lead, ids[3], ids[1]), Ok(smallest));
    assert_eq!(merge(&mut lead, ids[0], ids[2]), Ok(smallest));
    for id in &ids {
        assert_eq!(shown(&mut lead, *id), (smallest, 3));
    }
    let detail = lead.app().households().get_household(OfHousehold { household: ids[3] }).expect("is there");
    assert_eq!((detail.persons.len(), detail.visits.visits.len()), (4, 4));
}

#[test]
fn a_row_taken_out_of_the_middle_leaves_the_others_joined() {
    let (team, mut lead) = lead();
    let ids: Vec<HouseholdId> = (0..4).map(|at| lead.household(&team, &format!("Hộ {at}"), 0).0).collect();
    for pair in ids.windows(2) {
        merge(&mut lead, pair[0], pair[1]).expect("joins");
    }
    for middle in [ids[1], ids[2]] {
        lead.app()
            .duplicates()
            .split_merged(SplitMerged { table: Joinable::Household, row: middle.0 })
            .expect("takes out");
        lead.app()
            .duplicates()
            .split_merged(SplitMerged { table: Joinable::Household, row: middle.0 })
            .expect("twice is as once");
        assert_eq!(shown(&mut lead, middle), (middle, 0));
    }
    assert_eq!(shown(&mut lead, ids[0]), (ids[0].min(ids[3]), 1));
}

#[test]
fn two_leads_who_join_and_split_without_seeing_each_other_come_to_the_same() {
    let mut team = Team::new();
    let mut one = team.enrol("Đặng Văn Tư", LEAD);
    let mut other = team.enrol("Lý Thị Sáu", LEAD);
    team.bring(&mut one);
    team.bring(&mut other);
    let ids: Vec<HouseholdId> = (0..3).map(|at| one.household(&team, &format!("Hộ {at}"), 0).0).collect();
    other.take_from(&mut one);
    merge(&mut one, ids[0], ids[1]).expect("joins");
    merge(&mut other, ids[2], ids[1]).expect("joins");
    exchange(&mut one, &mut other);
    assert_eq!(shown(&mut one, ids[1]), shown(&mut other, ids[1]));
}

#[test]
fn persons_are_joined_within_a_household_only() {
    let (team, mut lead) = lead();
    let (household, persons) = lead.household(&team, "Hộ 1", 2);
    let (_, strangers) = lead.household(&team, "Hộ 2", 1);
    let join = |lead: &mut TestPhone, one: PersonId, other: PersonId| {
        lead.app().duplicates().merge_rows(MergeRows { table: Joinable::Person, one: one.0, other: other.0 })
    };
    assert_eq!(join(&mut lead, persons[0], strangers[0]), Err(invalid("other", "other_household")));
    join(&mut lead, persons[0], persons[1]).expect("joins");
    let detail = lead.app().households().get_household(OfHousehold { household }).expect("is there");
    assert_eq!(detail.persons.len(), 1);
}

#[test]
fn only_those_who_lead_join_and_a_row_is_not_joined_to_itself_or_to_nothing() {
    let (mut team, mut lead) = lead();
    let (household, _) = lead.household(&team, "Hộ 1", 0);
    let nowhere = HouseholdId(langso_domain::id::RowId([9; 12]));
    assert_eq!(merge(&mut lead, household, household), Err(invalid("other", "same_row")));
    assert_eq!(merge(&mut lead, household, nowhere), Err(invalid("other", "not_found")));
    let mut member = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut member);
    member.take_from(&mut lead);
    assert_eq!(merge(&mut member, household, household), Err(not_allowed("role")));
}

fn given(text: &str) -> GivenConsent {
    GivenConsent { text: text.parse().expect("a reference"), way: 1, purposes: None, date: None }
}

fn consent(phone: &mut TestPhone, household: HouseholdId, text: &str) -> ConsentId {
    let new = NewConsent { household, given: given(text), token: None };
    phone.app().consents().record_consent(new).expect("saves").consent
}

fn withdraw(phone: &mut TestPhone, consent: ConsentId) {
    phone.app().consents().withdraw_consent(WithdrawConsent { consent, date: None }).expect("withdraws");
}

/// Writes to a household wherever a withdrawn consent refuses.
fn writes(phone: &mut TestPhone, household: HouseholdId, person: PersonId) -> [Result<(), AppError>; 6] {
    let app = phone.app();
    let services = vec![NewService::new(None, "scam_awareness", 1)];
    let visit = NewVisit { household: Some(household), services, ..NewVisit::default() };
    let hint = Some(Some("cạnh suối".to_owned()).into());
    let hint = UpdateHousehold { hint, ..UpdateHousehold::of(household) };
    let call = |name: &str, input| app.call(name, input).map(drop);
    [
        app.visits().log_visit(visit).map(drop),
        app.households().update_household(hint).map(drop),
        call("households.add_person", json!({"household": household, "person": {"band": 4}})),
        call("follow_ups.plan_follow_up", json!({"household": household, "due_on": "2024-06-20"})),
        call("events.log_grant", json!({"item": 1, "household": household, "person": person})),
        call("census.mark_household_seen", json!({"household": household})),
    ]
}

#[test]
fn a_consent_of_either_row_is_one_of_the_joined_household() {
    let (team, mut lead) = lead();
    let (one, persons) = lead.household(&team, "Hộ 12", 1);
    let (other, _) = lead.household(&team, "Hộ 12", 1);
    let of_one = consent(&mut lead, one, "consent.script@1");
    let of_other = consent(&mut lead, other, "consent.script@1");
    withdraw(&mut lead, of_one);
    let refused = invalid("household", "consent_withdrawn");
    assert!(writes(&mut lead, one, persons[0]).iter().all(|result| *result == Err(refused.clone())));
    merge(&mut lead, one, other).expect("joins");
    for household in [one, other] {
        assert!(writes(&mut lead, household, persons[0]).iter().all(Result::is_ok), "either row");
        lead.app().households().get_rights_slip(OfHousehold { household }).expect("gives a code");
    }
    withdraw(&mut lead, of_other);
    for household in [one, other] {
        let answers = writes(&mut lead, household, persons[0]);
        assert!(answers.iter().all(|result| *result == Err(refused.clone())), "{answers:?}");
    }
    consent(&mut lead, other, "consent.script@1");
    lead.app()
        .duplicates()
        .split_merged(SplitMerged { table: Joinable::Household, row: one.0 })
        .expect("splits");
    assert_eq!(writes(&mut lead, one, persons[0])[0], Err(refused));
    assert_eq!(writes(&mut lead, other, persons[0])[0], Ok(()));
}

#[test]
fn a_contact_lives_by_the_consent_that_is_listed_for_the_joined_household() {
    let (team, mut lead) = lead();
    let (one, _) = lead.household(&team, "Hộ 12", 1);
    let (other, _) = lead.household(&team, "Hộ 12", 1);
    let (third, _) = lead.household(&team, "Hộ 13", 1);
    let reach = consent(&mut lead, other, "consent.contact@1");
    let keep = |phone: &mut TestPhone, household: HouseholdId| {
        let new = json!({"consent": reach, "household": household, "phone": "0987654321"});
        phone.app().call("contacts.save_contact", new).map(drop)
    };
    assert_eq!(keep(&mut lead, one), Err(invalid("consent", "consent_of_other_household")));
    let shows = merge(&mut lead, one, other).expect("joins");
    let listed = lead.app().households().get_household(OfHousehold { household: shows }).expect("is there");
    assert_eq!(listed.consents.len(), 1);
    for household in [one, other] {
        keep(&mut lead, household).expect("keeps");
    }
    assert_eq!(keep(&mut lead, third), Err(invalid("consent", "consent_of_other_household")));
}

/// Joins and splits on three phones that hear of each other now and then, in many orders.
#[test]
fn three_phones_that_join_and_split_in_any_order_come_to_the_same_and_the_smallest_shows() {
    let seed = mill::seed();
    let mut dice = mill::Dice::new(seed);
    let runs = if mill::is_long() { 60 } else { 3 };
    for run in 0..runs {
        let mut team = Team::new();
        let mut phones = ["Đặng Văn Tư", "Lý Thị Sáu", "H’Mai Êban"].map(|name| team.enrol(name, LEAD));
        phones.iter_mut().for_each(|phone| team.bring(phone));
        let [one, other, third] = &mut phones;
        let ids: Vec<HouseholdId> = (0..6).map(|at| one.household(&team, &format!("Hộ {at}"), 0).0).collect();
        [&mut *other, third].into_iter().for_each(|phone| phone.take_from(one));
        for step in 0..24 {
            let at = dice.below(3) as usize;
            let [row, with] = [(); 2].map(|()| ids[dice.below(6) as usize]);
            phones[at].time.pass(60_000);
            match dice.below(8) {
                0..=3 if row != with => drop(merge(&mut phones[at], row, with).expect("joins")),
                4 => {
                    let split = SplitMerged { table: Joinable::Household, row: row.0 };
                    phones[at].app().duplicates().split_merged(split).expect("splits");
                }
                5 => {
                    let hint = Some(Some(format!("cạnh suối {step}")).into());
                    let update = UpdateHousehold { hint, ..UpdateHousehold::of(row) };
                    phones[at].app().households().update_household(update).expect("edits");
                }
                _ => {
                    let (left, right) = phones.split_at_mut(1 + at % 2);
                    exchange(&mut left[0], &mut right[0]);
                }
            }
        }
        for _ in 0..2 {
            let [one, other, third] = &mut phones;
            exchange(one, other);
            exchange(other, third);
            exchange(one, third);
        }
        let shown_of = |phone: &mut TestPhone| -> Vec<_> { ids.iter().map(|id| shown(phone, *id)).collect() };
        let of_one = shown_of(&mut phones[0]);
        for (id, (shows, joined)) in ids.iter().zip(&of_one) {
            let set: Vec<_> = ids.iter().zip(&of_one).filter(|(_, (of, _))| of == shows).collect();
            assert_eq!(set.len(), joined + 1, "seed {seed}, run {run}");
            assert_eq!(set.iter().map(|(id, _)| **id).min(), Some(*shows), "seed {seed}, run {run}");
            assert!(set.iter().any(|(of, _)| *of == id));
        }
        for phone in &mut phones[1..] {
            assert_eq!(shown_of(phone), of_one, "seed {seed}, run {run}");
        }
        // Whatever was joined can be taken apart again, after all that was edited since.
        for id in &ids {
            let split = SplitMerged { table: Joinable::Household, row: id.0 };
            phones[2].app().duplicates().split_merged(split).expect("splits");
        }
        let [one, _, third] = &mut phones;
        exchange(one, third);
        for phone in [one, third] {
            assert!(ids.iter().all(|id| shown(phone, *id) == (*id, 0)), "seed {seed}, run {run}");
        }
    }
    println!("resilience: joins-in-any-order cases={runs} lost=0 seed={seed}");
}
