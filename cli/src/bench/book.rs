//! The workload as changes: the same rows that a phone saves for it, by writers that change every few visits.
//!
//! The one idea: a save of the app is a change here. A new household is one (with its consent, persons and
//! contact), and a visit with its services and follow-up is one, beside the one of its checklist runs in the training
//! scope.

use std::collections::HashMap;

use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, MemberId, PlanId, RowId, ScopeId, Writer};
use langso_domain::registry::{CURRENT, ScopeKind};
use langso_store::{Batch, Replica};
use langso_sync::author::{Author, Draft};
use langso_sync::change::Change;
use langso_sync::clock::Clock;
use langso_sync::value::Value;

use super::Res;
use super::workload::{Household, Person, Service, UNIT, Visit, Workload};
use crate::campaign::rng::SplitMix64;

/// How long a contact is kept.
pub const CONTACT_DAYS: i32 = 90;
/// The text of every consent, for the record and a contact.
pub const CONSENT: (&str, u8) = ("consent.script@1", 3);

/// The rows of the team that its book refers to.
#[derive(Clone, Debug)]
pub struct Roster {
    /// As many as the workload has.
    pub members: Vec<MemberId>,
    /// As many as the workload has.
    pub hamlets: Vec<HamletId>,
    /// The campaign that visits count under.
    pub plan: PlanId,
}

/// One change with where it goes.
#[derive(Debug)]
pub struct Written {
    /// The kind of its scope.
    pub kind: ScopeKind,
    /// The change.
    pub change: Change,
}

/// The bytes of a checklist run: one a step.
pub fn steps(service: &Service) -> Vec<u8> {
    let (walked, total) = service.steps;
    let mut steps = vec![1; usize::from(walked)];
    if let (Some(failure), Some(last)) = (service.failure, steps.last_mut()) {
        *last = failure;
    }
    steps.resize(usize::from(total), 0);
    steps
}

/// When a visit is saved, ms since 1970.
pub fn saved_at(visit: &Visit, number: usize) -> i64 {
    let end = visit.day.starts_at() + i64::from(visit.end) * 60_000;
    end + i64::from(SplitMix64::stream(5, "saved", number as u64).below(900_000))
}

/// Writes a workload as its members' phones do.
#[derive(Debug)]
pub struct Scribe<'a> {
    load: &'a Workload,
    roster: &'a Roster,
    /// By member and scope: the process run and what numbers its changes.
    authors: HashMap<(usize, ScopeKind), (u32, Author)>,
    clocks: Vec<Clock>,
    seed: u64,
    homes: Vec<Option<(RowId, Vec<RowId>)>>,
}

impl<'a> Scribe<'a> {
    /// For a team; other seeds give other writers.
    pub fn new(load: &'a Workload, roster: &'a Roster, seed: u64) -> Self {
        Self {
            load,
            roster,
            authors: HashMap::new(),
            clocks: vec![Clock::default(); super::workload::MEMBERS],
            seed,
            homes: vec![None; load.households.len()],
        }
    }

    /// All changes of the visit of that number, in the order of their saves; visits in order.
    pub fn visit(&mut self, number: usize) -> Vec<Written> {
        let visit = &self.load.visits[number];
        self.write(visit, number)
    }

    /// As [`Scribe::visit`], as if another member had made it in another process run.
    pub fn visit_as(&mut self, number: usize, member: usize, run: u32) -> Vec<Written> {
        let visit = Visit { member, run, ..self.load.visits[number].clone() };
        self.write(&visit, number)
    }

    /// The rows of the households met so far, each with its persons.
    pub fn homes(&self) -> &[Option<(RowId, Vec<RowId>)>] {
        &self.homes
    }

    fn write(&mut self, visit: &Visit, number: usize) -> Vec<Written> {
        let load = self.load;
        let mut written = Vec::with_capacity(4);
        let now = saved_at(visit, number);
        if let Some(at) = visit.household.filter(|_| visit.is_new) {
            self.household(visit, &load.households[at], at, now - 300_000, &mut written);
        }
        let (mut team, mut training) =
            (self.draft(visit, ScopeKind::Team), self.draft(visit, ScopeKind::Training));
        self.rows(visit, &mut team, &mut training);
        self.finish(visit, ScopeKind::Team, team, now, &mut written);
        self.finish(visit, ScopeKind::Training, training, now, &mut written);
        written
    }

    fn household(
        &mut self,
        visit: &Visit,
        home: &Household,
        at: usize,
        now: i64,
        written: &mut Vec<Written>,
    ) {
        let mut draft = self.draft(visit, ScopeKind::Team);
        let row = create(
            &mut draft,
            "household",
            &[
                ("label", home.label.as_str().into()),
                ("hint", home.hint.into()),
                ("hamlet_id", self.roster.hamlets[home.hamlet].0.into()),
                ("poverty", home.poverty.into()),
            ],
        );
        let consent = create(
            &mut draft,
            "consent",
            &[
                ("household_id", row.into()),
                ("text", CONSENT.0.into()),
                ("way", home.way.into()),
                ("asked_by", self.roster.members[visit.member].0.into()),
                ("date", visit.day.into()),
                ("purposes", CONSENT.1.into()),
            ],
        );
        let persons: Vec<RowId> = home.persons.iter().map(|one| person(&mut draft, row, one)).collect();
        if let Some((whose, name, phone)) = &home.contact {
            let fields = [
                ("consent_id", consent.into()),
                ("household_id", row.into()),
                ("person_id", persons[*whose].into()),
                ("display_name", name.as_str().into()),
                ("phone", phone.as_str().into()),
                ("expires_on", CivilDate(visit.day.0 + CONTACT_DAYS).into()),
            ];
            create(&mut draft, "contact", &fields);
        }
        self.finish(visit, ScopeKind::Team, draft, now, written);
        self.homes[at] = Some((row, persons));
    }

    fn rows(&self, visit: &Visit, team: &mut Draft, training: &mut Draft) {
        let home = visit.household.and_then(|at| self.homes[at].as_ref());
        let me = self.roster.members[visit.member].0;
        let household: Value = home.map(|(row, _)| *row).into();
        let row = create(
            team,
            "visit",
            &[
                ("household_id", household.clone()),
                ("hamlet_id", self.roster.hamlets[visit.hamlet].0.into()),
                ("unit", UNIT.into()),
                ("date", visit.day.into()),
                ("start_minute", visit.start.into()),
                ("end_minute", visit.end.into()),
                ("place", visit.place.into()),
                ("language", visit.language.into()),
                ("signal", visit.signal.into()),
                ("members", vec![me].into()),
                ("plan_id", self.roster.plan.0.into()),
            ],
        );
        for service in &visit.services {
            let run = create(
                training,
                "checklist_run",
                &[
                    ("tutorial", service.tutorial.into()),
                    ("steps", steps(service).into()),
                    ("phone_model", service.phone.0.as_str().into()),
                    ("os_version", service.phone.1.as_str().into()),
                    ("member_id", me.into()),
                    ("date", visit.day.into()),
                    ("minutes", service.minutes.into()),
                    ("teach_back", service.teach_back.into()),
                ],
            );
            create(
                team,
                "service_row",
                &[
                    ("visit_id", row.into()),
                    ("person_id", person_of(home, service).into()),
                    ("service", service.service.into()),
                    ("outcome", service.outcome.into()),
                    ("failure", service.failure.into()),
                    ("evidence", service.evidence.into()),
                    ("last_step", service.steps.0.into()),
                    ("tutorial", service.tutorial.into()),
                    ("run_id", run.into()),
                ],
            );
        }
        if let Some(days) = visit.follow_up {
            create(
                team,
                "follow_up",
                &[
                    ("visit_id", row.into()),
                    ("household_id", household),
                    ("person_id", person_of(home, &visit.services[0]).into()),
                    ("service", visit.services[0].service.into()),
                    ("due_on", CivilDate(visit.day.0 + i32::from(days)).into()),
                    ("assigned_to", me.into()),
                ],
            );
        }
    }

    fn draft(&mut self, visit: &Visit, kind: ScopeKind) -> Draft {
        // Writers of one process run differ in the scope's number only, as on a phone.
        let writer =
            SplitMix64::stream(self.seed, "writer", (visit.member as u64) << 32 | u64::from(visit.run))
                .next();
        let fresh = || (visit.run, Author::new(Writer(writer ^ kind as u64)));
        let known = self.authors.entry((visit.member, kind)).or_insert_with(fresh);
        if known.0 != visit.run {
            *known = fresh();
        }
        known.1.draft()
    }

    fn finish(&mut self, visit: &Visit, kind: ScopeKind, draft: Draft, now: i64, written: &mut Vec<Written>) {
        let clock = &mut self.clocks[visit.member];
        let author = self.authors.get_mut(&(visit.member, kind));
        let change = author.map(|(_, author)| author.finish(draft, clock, now as u64));
        written.extend(change.map(|change| Written { kind, change }));
    }
}

fn person(draft: &mut Draft, household: RowId, person: &Person) -> RowId {
    let fields = [
        ("household_id", household.into()),
        ("band", person.band.into()),
        ("sex", person.sex.into()),
        ("phone_kind", person.phone_kind.into()),
        ("nfc", person.nfc.into()),
        ("own_sim", person.own_sim.into()),
    ];
    create(draft, "person", &fields)
}

fn person_of(home: Option<&(RowId, Vec<RowId>)>, service: &Service) -> Option<RowId> {
    home.zip(service.person).map(|((_, persons), at)| persons[at])
}

fn create(draft: &mut Draft, table: &str, fields: &[(&str, Value)]) -> RowId {
    let table = CURRENT.named(table).expect("a table of the registry");
    let fields = fields
        .iter()
        .map(|(name, value)| (table.named(name).expect("a field of the table").number, value.clone()));
    draft.create(table.number, fields).expect("few rows")
}

/// Puts changes into a phone's file as if it had saved them: rows, outbox, and the writers of its runs.
pub fn put_in_outbox(
    replica: &mut Replica,
    scopes: &[(ScopeKind, ScopeId)],
    device: langso_domain::id::DeviceId,
    written: &[Written],
) -> Res<()> {
    let mut batch: Batch<'_> = replica.begin()?;
    let mut known = std::collections::HashSet::new();
    for one in written {
        let scope =
            scopes.iter().find(|(kind, _)| *kind == one.kind).ok_or("a scope of the phone is missing")?.1;
        let number = batch.find_scope(scope)?.ok_or("a scope of the phone is missing")?;
        if known.insert(one.change.key.writer) {
            batch.begin_writer(one.change.key.writer, number, device)?;
        }
        batch.apply_own(number, &one.change)?;
        let mut put = batch
            .connection()
            .prepare_cached("INSERT INTO outbox (scope, bytes, sum) VALUES (?1, ?2, ?3)")?;
        let bytes = one.change.encode();
        let sum = langso_device::journal::checksum(scope, &bytes);
        put.execute((number, bytes, sum))?;
    }
    batch.commit()?;
    Ok(())
}
