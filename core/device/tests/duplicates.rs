//! Households written down twice: found, joined, taken apart.

mod support;

use langso_device::AppError;
use langso_device::companion::duplicates::{
    FindSimilar, Joinable, Likeness, ListPairs, MergeRows, SplitMerged, TwoHouseholds,
};
use langso_device::companion::households::OfHousehold;
use langso_domain::id::{HouseholdId, PersonId};
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
