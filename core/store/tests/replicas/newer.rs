//! The registry of the next version, as one would write it: one more line in a table, one more table, and the
//! migration that brings both.

use langso_domain::registry::{Field, Kind, Registry, Roles, ScopeKind, Table};
use langso_store::{CURRENT, Migration, Schema, create_table_sql};

pub const HOUSEHOLD: u8 = 1;
pub const WIFI: u8 = 200;
pub const ERRAND: u8 = 60;

/// The one line.
const NEW_FIELD: Field =
    Field { number: WIFI, name: "wifi", kind: Kind::Int, since: 2, doc: "bars of signal at the door" };

const NEW_TABLE: Table = Table {
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

/// The registry with the new field alone, and its migration.
pub fn with_field() -> Schema {
    let tables: Vec<Table> = CURRENT.registry.tables.iter().map(one_more_field).collect();
    next(tables, "-- Signal at the door decides whether a tutorial can be walked there.\nALTER TABLE households ADD COLUMN wifi INTEGER;".to_owned())
}

/// The same with the new table.
pub fn with_field_and_table() -> Schema {
    let mut tables: Vec<Table> = CURRENT.registry.tables.iter().map(one_more_field).collect();
    tables.insert(tables.partition_point(|table| table.number < ERRAND), Table { ..NEW_TABLE });
    let sql = format!("ALTER TABLE households ADD COLUMN wifi INTEGER;\n{}", create_table_sql(&NEW_TABLE));
    next(tables, sql)
}

fn next(tables: Vec<Table>, sql: String) -> Schema {
    let schema = CURRENT.registry.schema + 1;
    let mut migrations = CURRENT.migrations.to_vec();
    migrations.push(Migration { schema, sql: sql.leak() });
    Schema { registry: Registry { schema, tables: tables.leak() }, migrations: migrations.leak() }
}

fn one_more_field(table: &Table) -> Table {
    let mut table = Table { ..*table };
    if table.number == HOUSEHOLD {
        let fields = table.fields.iter().chain([&NEW_FIELD]).map(|field| Field { ..*field });
        table.fields = fields.collect::<Vec<Field>>().leak();
    }
    table
}
