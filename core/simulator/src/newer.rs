//! The schema of a program that some phones of a run already have: one more field, and one more table.
//!
//! Everybody else must keep what such a phone writes without knowing it.

use std::sync::OnceLock;

use langso_domain::registry::{Field, Kind, Registry, Roles, ScopeKind, Table};
use langso_store::{CURRENT, Migration, Schema, create_table_sql};

/// The new field of a household.
pub(crate) const WIFI: u8 = 200;
/// The new table.
pub(crate) const ERRAND: u8 = 60;

static HOUSEHOLD_ADDS: Field =
    Field { number: WIFI, name: "wifi", kind: Kind::Int, since: 2, doc: "bars of signal at the door" };
static ERRANDS: Table = Table {
    number: ERRAND,
    name: "errand",
    plural: "errands",
    scope: ScopeKind::Team,
    fact: false,
    writers: Roles::TEAM,
    fields: &[
        Field { number: 1, name: "household_id", kind: Kind::Ref("household"), since: 2, doc: "for whom" },
        Field { number: 2, name: "what", kind: Kind::Text(64), since: 2, doc: "what to bring" },
    ],
    doc: "Something to bring along.",
};

/// The newer schema; made once.
pub(crate) fn schema() -> Schema {
    static NEWER: OnceLock<Schema> = OnceLock::new();
    *NEWER.get_or_init(|| {
        let mut tables: Vec<Table> = CURRENT.registry.tables.iter().map(with_new_field).collect();
        let at = tables.partition_point(|table| table.number < ERRAND);
        tables.insert(at, copy(&ERRANDS));
        let schema = CURRENT.registry.schema + 1;
        let sql = format!("ALTER TABLE households ADD COLUMN wifi INTEGER; {}", create_table_sql(&ERRANDS));
        let mut migrations = CURRENT.migrations.to_vec();
        migrations.push(Migration { schema, sql: sql.leak() });
        Schema { registry: Registry { schema, tables: tables.leak() }, migrations: migrations.leak() }
    })
}

fn with_new_field(table: &Table) -> Table {
    let mut table = copy(table);
    if table.number == 1 {
        let fields = table.fields.iter().chain([&HOUSEHOLD_ADDS]);
        let fields: Vec<Field> = fields.map(|field| Field { ..*field }).collect();
        table.fields = fields.leak();
    }
    table
}

fn copy(table: &Table) -> Table {
    Table { ..*table }
}
