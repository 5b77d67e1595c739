//! Long lists are held between their pages; what they show is what the database says.

mod support;

use langso_device::companion::consents::{GivenConsent, WithdrawConsent};
use langso_device::companion::households::{
    GivenContact, HouseholdList, ListHouseholds, NewHousehold, OfHousehold, UpdateHousehold,
};
use langso_device::companion::visits::{FindVisits, VisitPage};
use langso_domain::id::HouseholdId;
use support::visits::{correct, service, visit};
use support::{LEAD, Team, TestPhone};

fn add(phone: &mut TestPhone, team: &Team, label: &str, contact: Option<&str>) -> HouseholdId {
    let consent = |text: &str| {
        Some(GivenConsent { text: text.parse().expect("a reference"), way: 1, purposes: None, date: None })
    };
    let new = NewHousehold {
        label: label.to_owned(),
        hint: None,
        hamlet: Some(team.hamlet),
        poverty: None,
        persons: Vec::new(),
        consent: consent("consent.script@1"),
        contact: contact.map(|name| GivenContact {
            consent: consent("consent.contact@1"),
            person: None,
            display_name: Some(name.to_owned()),
            phone: None,
            expires_on: None,
        }),
        token: None,
    };
    phone.app().households().create_household(new).expect("saves").household
}

fn lists(phone: &mut TestPhone) -> (HouseholdList, VisitPage) {
    let app = phone.app();
    let households = app.households().list_households(ListHouseholds::default()).expect("lists");
    (households, app.visits().list_visits(FindVisits::default()).expect("lists"))
}

/// What is listed now, and that an app that was just opened lists the same.
fn listed(phone: &mut TestPhone) -> (HouseholdList, VisitPage) {
    let held = lists(phone);
    assert_eq!(lists(phone), held);
    phone.kill();
    let fresh = lists(phone);
    assert_eq!(held, fresh);
    held
}

#[test]
fn a_list_shows_what_was_saved_since_its_last_page() {
    let mut team = Team::new();
    let mut phone = team.enrol("H’Mai Êban", LEAD);
    team.bring(&mut phone);
    assert_eq!(listed(&mut phone).0.count, Some(0));

    let first = add(&mut phone, &team, "Hộ 2", Some("Chị Đượm"));
    let other = add(&mut phone, &team, "Hộ 10", None);
    let labels = |list: &HouseholdList| -> Vec<String> {
        list.households.iter().map(|line| line.label.clone()).collect()
    };
    // Of the app that is open: nothing is opened again between the deeds.
    let (households, visits) = lists(&mut phone);
    assert_eq!((labels(&households), visits.visits.len()), (vec!["Hộ 2".to_owned(), "Hộ 10".to_owned()], 0));
    assert_eq!(households.households[0].display_name.as_deref(), Some("Chị Đượm"));

    let update = UpdateHousehold { label: Some("Hộ 1".to_owned()), ..UpdateHousehold::of(other) };
    phone.app().households().update_household(update).expect("saves");
    assert_eq!(labels(&lists(&mut phone).0), ["Hộ 1", "Hộ 2"]);

    let new = visit(Some(first), vec![service(None, "scam_awareness", 1)]);
    let saved = phone.app().visits().log_visit(new).expect("saves").visit;
    let (households, visits) = lists(&mut phone);
    assert!(households.households[1].last_visit.is_some() && households.households[0].last_visit.is_none());
    assert_eq!(visits.visits[0].visit, saved);
    listed(&mut phone);

    let removal = serde_json::json!({ "visit": saved, "reason": 1, "is_struck_out": true });
    correct(&mut phone, serde_json::from_value(removal).expect("a correction")).expect("saves");
    let (households, visits) = lists(&mut phone);
    assert!(visits.visits.is_empty() && households.households[1].last_visit.is_none());

    let held = phone.app().households().get_household(OfHousehold { household: first }).expect("opens");
    let consent = held.consents.iter().find(|consent| consent.purposes == 1);
    let withdraw = WithdrawConsent { consent: consent.expect("a consent").consent, date: None };
    phone.app().consents().withdraw_consent(withdraw).expect("saves");
    assert!(lists(&mut phone).0.households[1].is_withdrawn);
    listed(&mut phone);
}

#[test]
fn a_contact_leaves_the_list_on_the_day_it_ends() {
    let mut team = Team::new();
    let mut phone = team.enrol("H’Mai Êban", LEAD);
    team.bring(&mut phone);
    add(&mut phone, &team, "Hộ 2", Some("Chị Đượm"));
    assert!(lists(&mut phone).0.households[0].display_name.is_some());
    phone.time.pass(200 * 86_400_000);
    assert_eq!(lists(&mut phone).0.households[0].display_name, None);
    listed(&mut phone);
}
