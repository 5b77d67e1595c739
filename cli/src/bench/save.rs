//! Saving: one visit at a time by the call that a shell makes, and many at once as they arrive; each beside plain
//! SQLite on the same disk, turn by turn.

use std::time::Duration;

use langso_device::companion::Day;
use langso_device::companion::households::{NewHousehold, NewPerson};
use langso_device::companion::visits::{NewReturn, NewService, NewVisit};
use langso_domain::date::CivilDate;
use langso_domain::id::{HouseholdId, PersonId};
use langso_domain::registry::ScopeKind;
use langso_domain::units::UnitCode;
use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::change::Change;

use super::book::{CONSENT, Roster, Scribe, Written};
use super::clocks::{Cost, cost, micros, ms, percentile};
use super::line::Line;
use super::plain::Plain;
use super::site::{Hands, Site};
use super::travel::last_day;
use super::workload::{Service, UNIT, Visit};
use super::{Bench, Res};

/// Visits of one batch.
const BATCH: usize = 500;

/// Saves of visits, one by one.
pub fn save(bench: &Bench) -> Res<Vec<Line>> {
    let load = bench.load();
    let folder = bench.folder("save")?;
    let site = Site::start(folder.path(), &Hands::at_day(last_day(load)))?;
    let phone = site.enrol("phone", 1, &site.url())?;
    site.sync(&phone.open()?)?;
    // Both books hold all but the last visits already.
    let timed = bench.scale.saves.min(load.visits.len() / 2);
    let before = load.visits.len() - timed;
    let mut scribe = Scribe::new(load, &site.roster, 13);
    let written: Vec<Written> = (0..before).flat_map(|number| scribe.visit(number)).collect();
    site.write(&phone, &written)?;
    let mut plain = Plain::open(&folder.path().join("plain.db"))?;
    plain.write(load, &site.roster, &load.visits[..before])?;
    let companion = phone.open()?;
    let mut homes: Vec<Option<(HouseholdId, Vec<PersonId>)>> = scribe
        .homes()
        .iter()
        .map(|home| {
            home.as_ref()
                .map(|(row, persons)| (HouseholdId(*row), persons.iter().map(|one| PersonId(*one)).collect()))
        })
        .collect();
    let (mut ours, mut theirs): (Vec<Cost>, Vec<Cost>) = (Vec::new(), Vec::new());
    for (number, visit) in load.visits[before..].iter().enumerate() {
        // The phone is one member's.
        let visit = Visit { member: 1, ..visit.clone() };
        if let Some(at) = visit.household.filter(|_| visit.is_new) {
            let saved = companion.households().create_household(new_household(
                &load.households[at],
                &visit,
                &site.roster,
            )?)?;
            homes[at] = Some((saved.household, saved.persons));
            plain.household(load, &site.roster, &visit, at)?;
        }
        let new = new_visit(&visit, &site.roster, visit.household.and_then(|at| homes[at].as_ref()))?;
        // Whoever is first waits for the disk a little differently: they take turns.
        if number % 2 == 0 {
            ours.push(cost(|| companion.visits().log_visit(new))?.1);
            theirs.push(cost(|| plain.visit(&site.roster, &visit))?.1);
        } else {
            theirs.push(cost(|| plain.visit(&site.roster, &visit))?.1);
            ours.push(cost(|| companion.visits().log_visit(new))?.1);
        }
    }
    drop(companion);
    site.stop()?;
    let how = format!(
        "visits.log_visit with its services, checklists and follow-up in a book of {before} visits, in one process, beside the same rows by hand; {timed} saves, turn by turn"
    );
    let wall = |costs: &[Cost]| {
        let mut walls: Vec<Duration> = costs.iter().map(|cost| cost.wall).collect();
        micros(percentile(&mut walls, 50))
    };
    let cpu =
        |costs: &[Cost]| micros(costs.iter().map(|cost| cost.cpu).sum::<Duration>()) / costs.len() as f64;
    Ok(vec![
        Line::beside("save", wall(&ours), wall(&theirs), format!("{how}; p50 of wall time")),
        Line::beside(
            "save_cpu",
            cpu(&ours),
            cpu(&theirs),
            format!("{how}; mean of the thread's processor time, kernel included"),
        ),
    ])
}

fn new_household(home: &super::workload::Household, visit: &Visit, roster: &Roster) -> Res<NewHousehold> {
    let persons = home.persons.iter().map(|person| NewPerson {
        band: Some(person.band),
        sex: Some(person.sex),
        phone_kind: Some(person.phone_kind),
        nfc: Some(person.nfc),
        own_sim: Some(person.own_sim),
        ..NewPerson::default()
    });
    Ok(NewHousehold {
        label: home.label.clone(),
        hint: home.hint.map(str::to_owned),
        hamlet: Some(roster.hamlets[home.hamlet]),
        poverty: home.poverty,
        persons: persons.collect(),
        consent: Some(langso_device::companion::consents::GivenConsent {
            text: CONSENT.0.parse().map_err(|_| "a consent text")?,
            way: home.way,
            purposes: None,
            date: Some(Day(visit.day)),
        }),
        contact: None,
        token: None,
    })
}

fn new_visit(visit: &Visit, roster: &Roster, home: Option<&(HouseholdId, Vec<PersonId>)>) -> Res<NewVisit> {
    let person = |at: Option<usize>| home.zip(at).map(|((_, persons), at)| persons[at]);
    let services = visit.services.iter().map(|service| {
        let mut new = NewService::new(person(service.person), service.service, service.outcome);
        new.failure = service.failure;
        new.evidence = service.evidence;
        new.run = Some(new_run(service)?);
        Ok(new)
    });
    let follow_up = visit.follow_up.map(|days| NewReturn {
        person: person(visit.services[0].person),
        service: Some(visit.services[0].service.to_owned()),
        due_on: Day(CivilDate(visit.day.0 + i32::from(days))),
        assigned_to: None,
        note: None,
    });
    Ok(NewVisit {
        household: home.map(|(household, _)| *household),
        hamlet: Some(roster.hamlets[visit.hamlet]),
        unit: UnitCode::parse(UNIT),
        date: Some(Day(visit.day)),
        start_minute: Some(visit.start),
        end_minute: Some(visit.end),
        place: Some(visit.place),
        language: Some(visit.language),
        signal: Some(visit.signal),
        members: Vec::new(),
        plan: Some(roster.plan),
        services: services.collect::<Res<_>>()?,
        follow_ups: follow_up.into_iter().collect(),
        ..NewVisit::default()
    })
}

fn new_run(service: &Service) -> Res<langso_device::companion::runs::NewRun> {
    use langso_device::companion::runs::{NewRun, RunStep};
    let (walked, _) = service.steps;
    let step = |step: u8| match service.failure.filter(|_| step == walked) {
        Some(failure) => RunStep { step, result: 3, failure: Some(failure) },
        None => RunStep { step, result: 1, failure: None },
    };
    Ok(NewRun {
        tutorial: service.tutorial.parse().map_err(|_| "a tutorial")?,
        steps: (1..=walked).map(step).collect(),
        phone_model: Some(service.phone.0.clone()),
        os_version: Some(service.phone.1.clone()),
        minutes: Some(service.minutes.into()),
        teach_back: service.teach_back,
    })
}

/// The whole book in batches, as it arrives on another phone: decoded, merged into rows, searchable, durable.
pub fn batch(bench: &Bench) -> Res<Vec<Line>> {
    let load = bench.load();
    let folder = bench.folder("batch")?;
    let site = Site::start(folder.path(), &Hands::at_day(last_day(load)))?;
    let mut scribe = Scribe::new(load, &site.roster, 14);
    let batches: Vec<Vec<(ScopeKind, Vec<u8>)>> = (0..load.visits.len())
        .collect::<Vec<_>>()
        .chunks(BATCH)
        .map(|numbers| {
            let written = numbers.iter().flat_map(|number| scribe.visit(*number));
            written.map(|one| (one.kind, one.change.encode())).collect()
        })
        .collect();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for run in 0..bench.scale.repeats {
        let mut replica =
            Replica::open(&folder.path().join(format!("replica-{run}.db")), CURRENT, Purpose::Phone)?;
        let mut apply = || -> Res<()> {
            for changes in &batches {
                let mut batch = replica.begin()?;
                for (kind, bytes) in changes {
                    let (_, scope) = site.scopes[usize::from(*kind == ScopeKind::Training)];
                    batch.add_scope(scope, *kind)?;
                    batch.apply(scope, site.running.hub.keys.id(), &Change::decode(bytes)?)?;
                }
                batch.commit()?;
            }
            Ok(())
        };
        ours.push(cost(&mut apply)?.1);
        let mut plain = Plain::open(&folder.path().join(format!("plain-{run}.db")))?;
        let by_hand =
            || load.visits.chunks(BATCH).try_for_each(|visits| plain.write(load, &site.roster, visits));
        theirs.push(cost(by_hand)?.1);
    }
    site.stop()?;
    let wall = |costs: &[Cost]| {
        let mut walls: Vec<Duration> = costs.iter().map(|cost| cost.wall).collect();
        ms(percentile(&mut walls, 50))
    };
    let cpu = |costs: &[Cost]| ms(costs.iter().map(|cost| cost.cpu).min().unwrap_or_default());
    let how = format!(
        "{} visits with all their rows in batches of {BATCH}, from bytes to durable and searchable rows; median wall of {}; processor time {:.0} beside {:.0} ms",
        load.visits.len(),
        bench.scale.repeats,
        cpu(&ours),
        cpu(&theirs)
    );
    Ok(vec![Line::beside("batch_10k", wall(&ours), wall(&theirs), how)])
}
