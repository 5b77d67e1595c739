//! What a ledger promises, held against the product's own rules and lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use langso_domain::date::CivilDate;
use langso_domain::text;
use langso_domain::units::{UnitCode, Units};

use super::codes::{self, GrantItem, Outcome, Service};
use super::event::{Event, KillDuring, ServiceRow, Visit, What};
use super::ledger::{HouseholdNo, MemberNo, Moment, PersonNo, TeamNo};
use super::*;

mod words;

/// The packaged campaign, generated once for all tests.
fn packaged() -> &'static (Parameters, Ledger) {
    static PACKAGED: OnceLock<(Parameters, Ledger)> = OnceLock::new();
    PACKAGED.get_or_init(|| {
        let parameters = Parameters::packaged().expect("packaged");
        let ledger = generate(&parameters, parameters.seed).expect("a ledger");
        (parameters, ledger)
    })
}

fn visits(ledger: &Ledger) -> impl Iterator<Item = (&Event, &Visit)> {
    ledger.events.iter().filter_map(|event| match &event.what {
        What::Visit(visit) => Some((event, visit)),
        _ => None,
    })
}

fn bytes(ledger: &Ledger) -> Vec<u8> {
    let mut out = Vec::new();
    ledger.write_jsonl(&mut out).expect("memory holds it");
    out
}

#[test]
fn every_published_qualifier_holds_for_every_seed() {
    let parameters = Parameters::packaged().expect("packaged");
    let mut ledgers = BTreeSet::new();
    for seed in (0..20).chain([parameters.seed]) {
        let ledger = generate(&parameters, seed).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        let tally: BTreeMap<_, _> = tally(&ledger).into_iter().map(|row| (row.seed_row, row.value)).collect();
        assert_eq!((tally["1"], tally["2"], tally["10a"], tally["10b"], tally["12"]), (250, 250, 5, 375, 18));
        assert!((90..100).contains(&tally["13"]), "{tally:?}");
        assert!(tally["11a"] > 5_000 && tally["11b"] >= 1_500 && tally["11b"] < tally["11a"], "{tally:?}");
        assert!(tally["14a"] + tally["14b"] > 2_800 && tally["14a"] > 0 && tally["14b"] > 0, "{tally:?}");
        ledgers.insert(bytes(&ledger.of_team(TeamNo(11))));
    }
    assert_eq!(ledgers.len(), 21);
}

#[test]
fn a_ledger_that_falls_short_is_refused() {
    let (parameters, ledger) = packaged();
    let mut parameters = parameters.clone();
    parameters.figures[0].value += 1;
    assert_eq!(disagreement(&parameters, ledger), Some(vec!["1".to_owned()]));
    let refused = generate(&parameters, parameters.seed);
    assert!(matches!(refused, Err(CampaignError::Disagrees { rows }) if rows == ["1"]));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_they_read_back() {
    let (parameters, ledger) = packaged();
    let first = bytes(ledger);
    assert!(first == bytes(&generate(parameters, parameters.seed).expect("again")));
    assert!(Ledger::read_jsonl(&first[..]).expect("reads") == *ledger);
    let cut = Ledger::read_jsonl(&first[..first.len() - 20]);
    assert!(matches!(cut, Err(LedgerError::Malformed { .. })));
    assert!(matches!(Ledger::read_jsonl(&b""[..]), Err(LedgerError::Empty)));
}

#[test]
fn figures_of_the_teams_sum_to_the_totals() {
    let (_, ledger) = packaged();
    let whole = tally(ledger);
    let parts: Vec<_> = (0..12).map(|team| tally(&ledger.of_team(TeamNo(team)))).collect();
    for (at, row) in whole.iter().enumerate() {
        assert_eq!(row.per_team.iter().sum::<u64>(), row.value, "{}", row.seed_row);
        let alone: Vec<u64> = parts.iter().map(|part| part[at].value).collect();
        assert_eq!(alone, row.per_team, "{}", row.seed_row);
    }
    let totals = totals(ledger);
    let sum: u64 = totals.iter().map(|team| team.visits).sum();
    assert_eq!(sum, visits(ledger).count() as u64);
    assert!((9_000..=11_000).contains(&sum), "{sum} visits");
    assert!(totals.iter().map(|team| team.anonymous).sum::<u64>() > 200);
    assert!(totals.iter().map(|team| team.refusals).sum::<u64>() > 100);
    assert!(totals.iter().map(|team| team.follow_ups_overdue).sum::<u64>() > 50);
    assert!(totals.iter().all(|team| team.contacts > 0 && team.sessions > 0 && team.work_days > 0));
}

#[test]
fn twelve_teams_have_48_phones_some_shared_and_some_with_wrong_clocks() {
    let (_, ledger) = packaged();
    let header = &ledger.header;
    assert_eq!((header.teams.len(), header.phones.len()), (12, 48));
    let devices: usize = header.phones.iter().map(|phone| phone.members.len()).sum();
    assert_eq!(devices, header.teams.iter().map(|team| team.members.len()).sum::<usize>());
    assert_eq!(header.phones.iter().filter(|phone| phone.members.len() == 2).count(), 4);
    let off = |least: i64, most: i64| {
        header.phones.iter().any(|phone| (least..=most).contains(&phone.clock_offset_ms.abs()))
    };
    let (minute, day) = (60_000, 86_400_000);
    assert!(off(minute, 60 * minute) && off(day, 10 * day) && off(365 * day, 366 * day));
    for team in &header.teams {
        assert_eq!(team.members.iter().filter(|member| member.role == codes::Role::Lead).count(), 1);
        for (at, member) in (0u8..).map(MemberNo).zip(&team.members) {
            let phone = &header.phones[member.phone.index()];
            assert!(phone.team == team.no && phone.members.contains(&at));
        }
    }
}

#[test]
fn teams_work_in_communes_that_were_never_split() {
    let (parameters, ledger) = packaged();
    let units = Units::packaged();
    for (team, plan) in ledger.header.teams.iter().zip(&parameters.teams) {
        for code in &team.units {
            let unit = UnitCode::parse(code).expect(code);
            assert!(units.is_valid_on(unit, ledger.header.period.from), "{code}");
            assert!(units.today_of(unit).is_some(), "{code} was split");
            let district = |name: &str| {
                let found =
                    ["193@2024", "198@2024", "202@2024"].map(|code| UnitCode::parse(code).expect(code));
                found.into_iter().find(|code| units.latest(*code).is_some_and(|unit| &*unit.name == name))
            };
            let home = district(&plan.district).expect("a district of the campaign");
            let east = ["Bình Liêu", "Ba Chẽ"].map(|name| district(name).expect("a district"));
            let inside = units.children(home).contains(&unit)
                || plan.kind == codes::TeamKind::Union
                    && east.iter().any(|one| units.children(*one).contains(&unit));
            assert!(inside, "{code} of {}", team.name);
        }
    }
}

#[test]
fn nothing_happens_before_a_team_is_founded_or_outside_the_period() {
    let (_, ledger) = packaged();
    let first = CivilDate::from_ymd(2024, 1, 2).expect("a day");
    let last = CivilDate::from_ymd(2024, 8, 31).expect("a day");
    for team in &ledger.header.teams {
        assert!(team.founded_on < first);
    }
    for event in &ledger.events {
        let day = event.at.date();
        assert!((first..=last).contains(&day), "{day}");
        let dated = match &event.what {
            What::Visit(visit) => visit.date,
            What::Grant(grant) => grant.date,
            What::Session(session) => session.date,
            What::Group(group) => group.founded_on,
            What::WorkDay { date, .. } => *date,
            What::Membership { from_date, .. } => *from_date,
            _ => day,
        };
        assert_eq!(dated, day);
    }
    let late = CivilDate::from_ymd(2024, 8, 26).expect("a day");
    assert!(
        ledger.events.iter().all(|event| !matches!(event.what, What::Grant(_)) || event.at.date() > late)
    );
}

#[test]
fn events_of_a_device_are_in_order_and_never_at_once() {
    let (_, ledger) = packaged();
    assert!(ledger.events.is_sorted_by_key(|event| event.at));
    let mut last: BTreeMap<(TeamNo, MemberNo), Moment> = BTreeMap::new();
    for event in &ledger.events {
        let before = last.insert((event.team, event.member), event.at);
        assert!(before.is_none_or(|before| before < event.at), "{event:?}");
        assert_eq!(ledger.header.teams[event.team.index()].members[event.member.index()].phone, event.phone);
    }
}

#[test]
fn a_shared_phone_is_out_with_one_member_a_day() {
    let (_, ledger) = packaged();
    let mut out = BTreeMap::new();
    for (event, visit) in visits(ledger) {
        assert_eq!(*out.entry((event.phone, visit.date)).or_insert(event.member), event.member);
    }
}

/// Moments of whole syncs, a device.
fn whole_syncs(ledger: &Ledger) -> BTreeMap<(TeamNo, MemberNo), Vec<Moment>> {
    let (mut whole, mut killed) = (BTreeMap::<_, Vec<Moment>>::new(), BTreeSet::new());
    for event in &ledger.events {
        let device = (event.team, event.member);
        match event.what {
            What::Kill { during: KillDuring::Sync } => drop(killed.insert(device)),
            What::Sync { cut_after_bytes } if !killed.remove(&device) && cut_after_bytes.is_none() => {
                whole.entry(device).or_default().push(event.at);
            }
            _ => {}
        }
    }
    whole
}

#[test]
fn a_phone_names_only_what_it_can_know() {
    let (_, ledger) = packaged();
    let whole = whole_syncs(ledger);
    let after = |device, at| whole[&device].iter().copied().find(|sync| *sync > at);
    let mut made: BTreeMap<(&str, u32), &Event> = BTreeMap::new();
    let mut by_others = 0;
    for event in &ledger.events {
        let reader = (event.team, event.member);
        let mut know = |kind: &'static str, no: u32| {
            let by = made.get(&(kind, no)).unwrap_or_else(|| panic!("{kind} {no} before it is"));
            assert_eq!(by.team, event.team);
            if by.member != event.member {
                by_others += 1;
                let up = after((by.team, by.member), by.at).expect("brought");
                assert!(
                    after(reader, up).is_some_and(|down| down < event.at),
                    "{kind} {no} is not there yet"
                );
            }
        };
        match &event.what {
            What::Visit(visit) => {
                visit.household.iter().for_each(|one| know("household", one.0));
                visit.rows.iter().filter_map(|row| row.person).for_each(|one| know("person", one.0));
            }
            What::Consent(consent) => consent.household.iter().for_each(|one| know("household", one.0)),
            What::Person(person) => know("household", person.household.0),
            What::PersonChanged { person, .. } => know("person", person.0),
            What::Contact(contact) => know("consent", contact.consent.0),
            What::FollowUp(one) => know("visit", one.visit.0),
            What::FollowUpDone { follow_up, visit } => {
                know("follow_up", follow_up.0);
                know("visit", visit.0);
            }
            What::FollowUpCancelled { follow_up } => know("follow_up", follow_up.0),
            What::Grant(grant) => know("visit", grant.visit.0),
            What::Membership { group, person, .. } => {
                know("group", group.0);
                person.iter().for_each(|one| know("person", one.0));
            }
            _ => {}
        }
        let new = match &event.what {
            What::Household(one) => ("household", one.no.0),
            What::Consent(one) => ("consent", one.no.0),
            What::Person(one) => ("person", one.no.0),
            What::Visit(one) => ("visit", one.no.0),
            What::FollowUp(one) => ("follow_up", one.no.0),
            What::Group(one) => ("group", one.no.0),
            _ => continue,
        };
        assert!(made.insert(new, event).is_none(), "{new:?} twice");
    }
    assert!(by_others > 1_000, "{by_others} times what another member wrote");
}

#[test]
fn phones_sync_only_where_there_is_signal_and_all_of_them_at_the_end() {
    let (_, ledger) = packaged();
    let (mut cut, mut last) = (0, BTreeMap::new());
    for event in &ledger.events {
        let team = &ledger.header.teams[event.team.index()];
        let silent = team.no_signal.iter().any(|span| span.holds(event.at.date()));
        if let What::Sync { cut_after_bytes } = event.what {
            assert!(!silent, "{} has no signal", team.name);
            cut += u32::from(cut_after_bytes.is_some());
        }
        if let What::Visit(visit) = &event.what {
            assert!(!silent || visit.signal == codes::Signal::None || visit.place == codes::Place::Centre);
            let portal = [Service::PortalFirstLogin, Service::PortalFirstFiling, Service::PortalLaterFiling];
            let online = |row: &ServiceRow| row.outcome == Outcome::New && portal.contains(&row.service);
            assert!(visit.signal != codes::Signal::None || !visit.rows.iter().any(online));
        }
        last.insert((event.team, event.member), matches!(event.what, What::Sync { cut_after_bytes: None }));
    }
    assert!(cut > 20);
    assert!(last.len() == 52 && last.values().all(|whole| *whole));
    let spans = |team: &ledger::Team| team.no_signal.iter().any(|span| span.to.0 - span.from.0 >= 7);
    assert!(ledger.header.teams.iter().any(spans));
}

#[test]
fn apps_restart_and_are_killed_at_every_odd_moment() {
    let (_, ledger) = packaged();
    let is = |one: &What| ledger.events.iter().any(|event| event.what == *one);
    for during in [KillDuring::Draft, KillDuring::Save, KillDuring::Sync] {
        assert!(is(&What::Kill { during }), "{during:?}");
    }
    assert!(is(&What::Restart { reboot: true }) && is(&What::Restart { reboot: false }));
}

#[test]
fn nobody_newly_gets_the_same_thing_twice() {
    let (_, ledger) = packaged();
    let mut done = BTreeSet::new();
    for row in visits(ledger).flat_map(|(_, visit)| &visit.rows) {
        if let (Outcome::New, Some(person)) = (row.outcome, row.person)
            && row.service != Service::PortalLaterFiling
        {
            assert!(done.insert((person, row.service)), "{row:?}");
        }
    }
    let sold = done.iter().filter(|(_, service)| *service == Service::EcommerceFirstSale);
    assert!(sold.into_iter().all(|(person, _)| done.contains(&(*person, Service::EcommerceAccount))));
}

#[test]
fn people_are_helped_in_their_own_households_only() {
    let (_, ledger) = packaged();
    let mut home: BTreeMap<PersonNo, HouseholdNo> = BTreeMap::new();
    for event in &ledger.events {
        match &event.what {
            What::Person(person) => drop(home.insert(person.no, person.household)),
            What::Visit(visit) => {
                for row in &visit.rows {
                    assert_eq!(row.person.map(|person| home[&person]), visit.household);
                }
                assert!(visit.start_minute <= visit.end_minute && visit.end_minute < 24 * 60);
                assert_eq!(visit.members[0], event.member);
            }
            What::FollowUp(one) => assert_eq!(home[&one.person], one.household),
            What::Grant(grant) => assert_eq!(home[&grant.person], grant.household),
            _ => {}
        }
    }
}

#[test]
fn a_contact_lives_by_a_consent_of_its_own_for_90_days_at_most() {
    let (_, ledger) = packaged();
    let mut consents = BTreeMap::new();
    for event in &ledger.events {
        match &event.what {
            What::Consent(consent) => {
                assert_eq!(
                    (consent.purposes > 0, consent.household.is_some()),
                    (consent.given, consent.given)
                );
                consents.insert(consent.no, (consent.household, consent.purposes));
            }
            What::Contact(contact) => {
                assert_eq!(consents[&contact.consent], (Some(contact.household), 2));
                assert!((1..=90).contains(&(contact.expires_on.0 - event.at.date().0)));
                assert_eq!(
                    text::phone::normalize(&contact.phone_number).as_deref(),
                    Ok(contact.phone_number.as_str())
                );
                assert_eq!(
                    text::check_name(&contact.display_name).as_deref(),
                    Ok(contact.display_name.as_str())
                );
            }
            _ => {}
        }
    }
}

#[test]
fn every_set_given_brings_phone_and_sim_to_a_poor_household() {
    let (_, ledger) = packaged();
    let (mut poverty, mut given) = (BTreeMap::new(), BTreeMap::<_, Vec<GrantItem>>::new());
    for event in &ledger.events {
        match &event.what {
            What::Household(one) => drop(poverty.insert(one.no, one.poverty)),
            What::Grant(grant) => given.entry(grant.household).or_default().push(grant.item),
            _ => {}
        }
    }
    assert_eq!(given.len(), 250);
    for (household, items) in given {
        assert_eq!(items, [GrantItem::Phone, GrantItem::Sim4g]);
        assert!(matches!(poverty[&household], Some(codes::Poverty::Poor | codes::Poverty::NearPoor)));
    }
}
