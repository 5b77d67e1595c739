//! `docs/schema.md` is written out of the registry; this test holds the two together.

use std::fmt::Write;

use langso_domain::registry::{CURRENT, Kind, Role, Roles, ScopeKind, Table};

fn shape(kind: Kind) -> String {
    match kind {
        Kind::Int => "whole number".to_owned(),
        Kind::Bool => "yes or no".to_owned(),
        Kind::Text(most) => format!("text, at most {most} bytes"),
        Kind::Date => "date".to_owned(),
        Kind::Enum(list) => format!("number of list `{list}`"),
        Kind::Ref(table) => format!("one {table}"),
        Kind::RefList(table) => format!("list of {table}, at most 64"),
        Kind::Code => "code and version".to_owned(),
        Kind::Bytes(most) => format!("bytes, at most {most}"),
        Kind::Thousandths => "thousandths".to_owned(),
    }
}

fn who(roles: Roles) -> &'static str {
    match (roles.has(Role::Member), roles.has(Role::Trainer)) {
        (true, _) => "the team and the hub",
        (false, true) => "trainers and the hub",
        (false, false) => "the hub",
    }
}

fn scope(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Team => "team",
        ScopeKind::Training => "training",
        ScopeKind::Place => "place",
        ScopeKind::Reference => "reference",
    }
}

fn section(table: &Table) -> String {
    let mut text = format!("## {} · {}\n\n{}\n", table.number, table.name, table.doc);
    let kind = if table.fact { "A fact: a correction needs a reason. " } else { "" };
    let personal = if table.is_personal() { "**Personal.** " } else { "" };
    let _ = writeln!(
        text,
        "{personal}{kind}Scope: {}. SQL: `{}`. Written by {}.\n",
        scope(table.scope),
        table.plural,
        who(table.writers)
    );
    text.push_str("| no. | field | shape | since | meaning |\n|---|---|---|---|---|\n");
    for field in table.fields {
        let shape = shape(field.kind);
        let _ = writeln!(
            text,
            "| {} | `{}` | {shape} | {} | {} |",
            field.number, field.name, field.since, field.doc
        );
    }
    text
}

fn document() -> String {
    let mut text = format!(
        "# The record: tables and fields\n\nSchema version {}. This page is written out of the registry \
         (`core/domain/src/registry`); a test holds the two together.\n\nEvery table also has field 0, `void`: true = \
         struck out, kept and no longer counted. Numbers are for ever. Tables from 64 hold personal values. Lists are \
         in `fixtures/codes/lists.json`, failure codes in `fixtures/codes/failure_codes.json`. Dates are days since \
         1970-01-01, civil dates of Vietnam. On the wire see `docs/protocol.md`.\n",
        CURRENT.schema
    );
    for table in CURRENT.tables {
        text.push('\n');
        text.push_str(&section(table));
    }
    text
}

#[test]
fn the_schema_page_is_the_registry() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema.md");
    if std::env::var_os("LANGSO_WRITE_GOLDEN").is_some() {
        std::fs::write(path, document()).expect("written");
    }
    let page = std::fs::read_to_string(path).expect("the page");
    assert!(page == document(), "run this test with LANGSO_WRITE_GOLDEN=1, then read the difference");
}
