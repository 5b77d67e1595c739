//! The reference: the same book in plain SQLite, written by hand.
//!
//! As lean as it may be while it keeps the same promise: WAL with a sync at every commit, prepared statements, the
//! same folded text in the same search. It checks nothing, and knows no other phone.

use std::path::Path;

use langso_domain::text;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::Res;
use super::book::{CONSENT, CONTACT_DAYS, Roster, steps};
use super::workload::{UNIT, Visit, Workload};
use crate::campaign::rng::SplitMix64;

type Id = [u8; 12];

/// A plain book.
#[derive(Debug)]
pub struct Plain {
    connection: Connection,
    homes: Vec<Option<(Id, Vec<Id>)>>,
    keys: Keys,
}

/// Gives ids of the same shape as the product's: a random part that changes now and then, and a number.
#[derive(Debug)]
struct Keys {
    random: SplitMix64,
    writer: u64,
    next: u32,
}

impl Keys {
    fn next(&mut self) -> Id {
        // A run of five visits makes some thirty rows.
        if self.next.is_multiple_of(30) {
            self.writer = self.random.next();
            self.next = 0;
        }
        self.next += 1;
        let mut id = [0; 12];
        id[..8].copy_from_slice(&self.writer.to_be_bytes());
        id[8..].copy_from_slice(&self.next.to_be_bytes());
        id
    }
}

impl Plain {
    /// A new book in `path`.
    pub fn open(path: &Path) -> Res<Self> {
        let connection = Connection::open(path)?;
        connection.set_prepared_statement_cache_capacity(128);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // As a phone has it.
        connection.pragma_update(None, "cache_size", -8 * 1024)?;
        connection.execute_batch(include_str!("plain.sql"))?;
        let keys = Keys { random: SplitMix64::stream(1, "plain", 0), writer: 0, next: 0 };
        Ok(Self { connection, homes: Vec::new(), keys })
    }

    /// Writes visits, and the households they meet, in one transaction.
    pub fn write(&mut self, load: &Workload, roster: &Roster, visits: &[Visit]) -> Res<()> {
        self.homes.resize(load.households.len(), None);
        let Self { connection, homes, keys } = self;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for visit in visits {
            if let Some(at) = visit.household.filter(|_| visit.is_new) {
                homes[at] = Some(put_household(&tx, load, roster, keys, visit, at)?);
            }
            put_visit(&tx, roster, keys, visit, homes)?;
        }
        Ok(tx.commit()?)
    }

    /// Writes the household that a visit meets.
    pub fn household(&mut self, load: &Workload, roster: &Roster, visit: &Visit, at: usize) -> Res<()> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        self.homes[at] = Some(put_household(&tx, load, roster, &mut self.keys, visit, at)?);
        Ok(tx.commit()?)
    }

    /// Writes a visit of a household that is there.
    pub fn visit(&mut self, roster: &Roster, visit: &Visit) -> rusqlite::Result<()> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        put_visit(&tx, roster, &mut self.keys, visit, &self.homes)?;
        tx.commit()
    }
}

fn put_household(
    tx: &Transaction<'_>,
    load: &Workload,
    roster: &Roster,
    keys: &mut Keys,
    visit: &Visit,
    at: usize,
) -> rusqlite::Result<(Id, Vec<Id>)> {
    let home = &load.households[at];
    let id = keys.next();
    tx.prepare_cached("INSERT INTO households (id, label, hamlet_id, poverty, hint) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![id, home.label, roster.hamlets[home.hamlet].0.0, home.poverty, home.hint])?;
    find(tx, keys, &format!("{} {}", home.label, home.hint.unwrap_or_default()), &id)?;
    let consent = keys.next();
    tx.prepare_cached(
        "INSERT INTO consents (id, household_id, text, way, asked_by, date, purposes) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        consent,
        id,
        CONSENT.0,
        home.way,
        roster.members[visit.member].0.0,
        visit.day.0,
        CONSENT.1
    ])?;
    let mut persons = Vec::with_capacity(home.persons.len());
    for person in &home.persons {
        let row = keys.next();
        tx.prepare_cached(
            "INSERT INTO persons (id, household_id, band, sex, phone_kind, nfc, own_sim) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![row, id, person.band, person.sex, person.phone_kind, person.nfc, person.own_sim])?;
        persons.push(row);
    }
    if let Some((whose, name, phone)) = &home.contact {
        let row = keys.next();
        tx.prepare_cached(
            "INSERT INTO contacts (id, consent_id, household_id, person_id, display_name, phone, expires_on)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            row,
            consent,
            id,
            persons[*whose],
            name,
            phone,
            visit.day.0 + CONTACT_DAYS
        ])?;
        find(tx, keys, &format!("{name} {phone}"), &id)?;
    }
    Ok((id, persons))
}

fn find(tx: &Transaction<'_>, keys: &mut Keys, text: &str, household: &Id) -> rusqlite::Result<()> {
    let number = keys.random.next() >> 1;
    tx.prepare_cached("INSERT INTO search (rowid, folded, household) VALUES (?, ?, ?)")?.execute(params![
        number as i64,
        text::fold(text),
        household
    ])?;
    Ok(())
}

fn put_visit(
    tx: &Transaction<'_>,
    roster: &Roster,
    keys: &mut Keys,
    visit: &Visit,
    homes: &[Option<(Id, Vec<Id>)>],
) -> rusqlite::Result<()> {
    let home = visit.household.and_then(|at| homes[at].as_ref());
    let me = roster.members[visit.member].0.0;
    let id = keys.next();
    tx.prepare_cached(
        "INSERT INTO visits (id, household_id, hamlet_id, unit, date, start_minute, end_minute, place, language, signal,
         members, plan_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        id,
        home.map(|(household, _)| household),
        roster.hamlets[visit.hamlet].0.0,
        UNIT,
        visit.day.0,
        visit.start,
        visit.end,
        visit.place,
        visit.language,
        visit.signal,
        me,
        roster.plan.0.0
    ])?;
    let person = |at: Option<usize>| home.zip(at).map(|((_, persons), at)| persons[at]);
    for service in &visit.services {
        let run = keys.next();
        tx.prepare_cached(
            "INSERT INTO checklist_runs (id, tutorial, steps, phone_model, os_version, member_id, date, minutes,
             teach_back) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run,
            service.tutorial,
            steps(service),
            service.phone.0,
            service.phone.1,
            me,
            visit.day.0,
            service.minutes,
            service.teach_back
        ])?;
        tx.prepare_cached(
            "INSERT INTO service_rows (id, visit_id, person_id, service, outcome, failure, evidence, last_step, tutorial,
             run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            keys.next(),
            id,
            person(service.person),
            service.service,
            service.outcome,
            service.failure,
            service.evidence,
            service.steps.0,
            service.tutorial,
            run
        ])?;
    }
    if let Some(days) = visit.follow_up {
        tx.prepare_cached(
            "INSERT INTO follow_ups (id, visit_id, household_id, person_id, service, due_on, assigned_to)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            keys.next(),
            id,
            home.map(|(household, _)| household),
            person(visit.services[0].person),
            visit.services[0].service,
            visit.day.0 + i32::from(days),
            me
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use langso_store::{CURRENT, Purpose, Replica};

    use super::*;

    /// Every column of these tables, and every index with its columns.
    fn shape(connection: &Connection, tables: &[String]) -> BTreeSet<String> {
        let all = |sql: &str, name: &str| -> Vec<String> {
            let mut get = connection.prepare(sql).expect("prepares");
            let rows = get.query_map([name], |row| row.get(0)).expect("reads");
            rows.collect::<rusqlite::Result<_>>().expect("reads")
        };
        let mut shape = BTreeSet::new();
        for table in tables {
            shape.extend(
                all("SELECT name || ' ' || type FROM pragma_table_info(?1)", table)
                    .iter()
                    .map(|column| format!("{table}.{column}")),
            );
            for index in all("SELECT name FROM pragma_index_list(?1) WHERE origin = 'c'", table) {
                shape.insert(format!("{index}: {:?}", all("SELECT name FROM pragma_index_info(?1)", &index)));
            }
        }
        shape
    }

    #[test]
    fn the_reference_has_the_columns_and_indexes_of_the_replica_and_no_versions() {
        let folder = tempfile::tempdir().expect("a folder");
        let plain = Plain::open(&folder.path().join("plain.db")).expect("opens");
        let replica = Replica::in_memory(CURRENT, Purpose::Phone).expect("opens");
        let sql =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'search%' ORDER BY name";
        let mut get = plain.connection.prepare(sql).expect("prepares");
        let tables: Vec<String> = get
            .query_map([], |row| row.get(0))
            .expect("reads")
            .collect::<rusqlite::Result<_>>()
            .expect("reads");
        assert_eq!(tables.len(), 8);
        let versions = [".scope INTEGER", ".v_stamp INTEGER", ".v_more BLOB"];
        let mut wanted = shape(replica.connection(), &tables);
        wanted.retain(|column| versions.iter().all(|version| !column.ends_with(version)));
        assert_eq!(shape(&plain.connection, &tables), wanted);
    }
}
