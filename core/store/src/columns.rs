//! Values and columns: how each kind of field lies in SQL.
//!
//! A value that does not fit its field's kind is not an error: it is kept among the row's versions as it came and
//! the column stays NULL, since a newer program may have widened the field.

use langso_domain::id::RowId;
use langso_domain::registry::{Kind, Registry, Table};
use langso_sync::value::Value;
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};

/// The column for a value; none when the value does not fit the kind.
pub fn to_sql(kind: Kind, value: &Value) -> Option<ToSqlOutput<'_>> {
    Some(match (kind, value) {
        (_, Value::Null) => ToSqlOutput::Owned(Sql::Null),
        (Kind::Int | Kind::Date | Kind::Enum(_) | Kind::Thousandths, Value::Int(number)) => {
            ToSqlOutput::Owned(Sql::Integer(*number))
        }
        (Kind::Bool, Value::Bool(yes)) => ToSqlOutput::Owned(Sql::Integer(i64::from(*yes))),
        (Kind::Text(_) | Kind::Code, Value::Text(text)) => {
            ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
        }
        (Kind::Bytes(_), Value::Bytes(bytes)) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        (Kind::Ref(_), Value::Ref(row)) => ToSqlOutput::Borrowed(ValueRef::Blob(&row.0)),
        (Kind::RefList(_), Value::Refs(rows)) => {
            ToSqlOutput::Owned(Sql::Blob(rows.iter().flat_map(|row| row.0).collect()))
        }
        _ => return None,
    })
}

/// The value of a column; null for a column that does not fit its kind (no statement of ours writes such a one).
pub fn from_sql(kind: Kind, column: ValueRef<'_>) -> Value {
    match (kind, column) {
        (Kind::Bool, ValueRef::Integer(number)) => Value::Bool(number != 0),
        (_, ValueRef::Integer(number)) => Value::Int(number),
        (_, ValueRef::Text(text)) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        (Kind::Ref(_), ValueRef::Blob(bytes)) => RowId::from_slice(bytes).map_or(Value::Null, Value::Ref),
        (Kind::RefList(_), ValueRef::Blob(bytes)) => {
            Value::Refs(bytes.chunks_exact(12).filter_map(RowId::from_slice).collect())
        }
        (_, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        _ => Value::Null,
    }
}

/// The declared SQL type of a kind, for STRICT tables.
pub(crate) fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Int | Kind::Bool | Kind::Date | Kind::Enum(_) | Kind::Thousandths => "INTEGER",
        Kind::Text(_) | Kind::Code => "TEXT",
        Kind::Ref(_) | Kind::RefList(_) | Kind::Bytes(_) => "BLOB",
    }
}

/// The statements of each table, written once when the file is opened.
#[derive(Debug)]
pub(crate) struct Texts(Vec<(u8, Text)>);

#[derive(Debug)]
pub(crate) struct Text {
    /// Parameters: id, scope, v_stamp, v_more, void, then the fields in order; does nothing when the id is there.
    pub insert: String,
    /// The same parameters; writes over.
    pub replace: String,
    /// By id: scope, v_stamp, v_more, void, then the fields in order.
    pub select: String,
    /// Every row: id, scope, v_stamp, v_more, void, then the fields in order.
    pub all: String,
    /// By scope: id, v_stamp.
    pub stamps: String,
    /// By scope, first and last id, in order of ids: id, v_stamp, v_more, void, then the fields in order.
    pub between: String,
}

impl Texts {
    pub fn new(registry: Registry) -> Self {
        Self(registry.tables.iter().map(|table| (table.number, Text::new(table))).collect())
    }

    /// The statements of a table of the registry that the file was opened with.
    pub fn of(&self, table: &Table) -> &Text {
        let at = self.0.binary_search_by_key(&table.number, |(number, _)| *number);
        &self.0[at.expect("a table of this registry")].1
    }
}

impl Text {
    fn new(table: &Table) -> Self {
        let fields: String = table.fields.iter().map(|field| format!(", {}", field.name)).collect();
        let places = ", ?".repeat(table.fields.len());
        let into = format!(
            "INTO {} (id, scope, v_stamp, v_more, void{fields}) VALUES (?, ?, ?, ?, ?{places})",
            table.plural
        );
        Self {
            insert: format!("INSERT {into} ON CONFLICT DO NOTHING"),
            replace: format!("INSERT OR REPLACE {into}"),
            select: format!(
                "SELECT scope, v_stamp, v_more, void{fields} FROM {} WHERE id = ?1",
                table.plural
            ),
            all: format!("SELECT id, scope, v_stamp, v_more, void{fields} FROM {}", table.plural),
            stamps: format!("SELECT id, v_stamp FROM {} WHERE scope = ?1", table.plural),
            between: format!(
                "SELECT id, v_stamp, v_more, void{fields} FROM {}
                 WHERE id BETWEEN ?2 AND ?3 AND scope = ?1 ORDER BY id",
                table.plural
            ),
        }
    }
}
