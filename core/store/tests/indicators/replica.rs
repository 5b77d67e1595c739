//! A replica for tests: rows are put in by hand, figures and lines are read by the compiled SQL.

use std::collections::BTreeSet;

use langso_domain::date::CivilDate;
use langso_domain::id::RowId;
use langso_domain::indicators::{
    Compute, INDEXES, Indicator, Indicators, LineKey, Measure, Param, Query, Sql, compile, compile_lines,
    views,
};
use langso_domain::registry::CURRENT;
use langso_store::create_table_sql;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// A replica with the tables of the registry, the views and the indexes.
pub struct Replica(pub Connection);

pub fn id(number: u32) -> Value {
    let mut bytes = [0; 12];
    bytes[7..11].copy_from_slice(&number.to_be_bytes());
    Value::Blob(bytes.to_vec())
}

pub fn ids(numbers: &[u32]) -> Value {
    let mut all = Vec::new();
    for number in numbers {
        if let Value::Blob(bytes) = id(*number) {
            all.extend(bytes);
        }
    }
    Value::Blob(all)
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn int(number: i64) -> Value {
    Value::Integer(number)
}

pub fn date(iso: &str) -> CivilDate {
    CivilDate::parse_iso(iso).expect(iso)
}

pub fn day(iso: &str) -> Value {
    int(date(iso).0.into())
}

pub fn query(from: &str, to: &str) -> Query {
    Query { from: date(from), to: date(to), units: None, scopes: None }
}

pub const NEW: i64 = 1;
pub const HAD: i64 = 2;
pub const LATER: i64 = 3;
pub const FAILED: i64 = 4;
pub const REFUSED: i64 = 5;
pub const TEAM: u32 = 9_001;
pub const BINH_LIEU: &str = "06838@2025";
pub const HOANH_MO: &str = "06841@2025";

impl Replica {
    pub fn empty() -> Self {
        let connection = Connection::open_in_memory().expect("memory");
        for table in CURRENT.tables {
            connection.execute_batch(&create_table_sql(table)).expect(table.plural);
        }
        connection.execute_batch(views()).expect("views");
        for index in INDEXES {
            connection.execute_batch(index).expect(index);
        }
        Self(connection)
    }

    pub fn insert(&self, table: &str, number: u32, columns: &[(&str, Value)]) {
        let mut names = String::from("id, scope, v_stamp");
        let mut values = vec![id(number), int(1), int(1)];
        for (name, value) in columns {
            names += &format!(", \"{name}\"");
            values.push(value.clone());
        }
        let marks = vec!["?"; values.len()].join(", ");
        let sql = format!("INSERT INTO \"{table}\" ({names}) VALUES ({marks})");
        self.0.prepare_cached(&sql).expect(table).execute(params_from_iter(values)).expect(table);
    }

    pub fn set(&self, table: &str, number: u32, column: &str, value: Value) {
        let sql = format!("UPDATE \"{table}\" SET \"{column}\" = ? WHERE id = ?");
        assert_eq!(self.0.execute(&sql, [value, id(number)]).expect(table), 1);
    }

    pub fn visit(&self, number: u32, household: Option<u32>, on: &str, more: &[(&str, Value)]) {
        let mut columns = vec![("date", day(on))];
        columns.extend(household.map(|number| ("household_id", id(number))));
        if !more.iter().any(|(name, _)| *name == "unit") {
            columns.push(("unit", text(BINH_LIEU)));
        }
        columns.extend_from_slice(more);
        self.insert("visits", number, &columns);
    }

    pub fn service(&self, number: u32, visit: u32, person: Option<u32>, service: &str, outcome: i64) {
        let mut columns = vec![
            ("visit_id", id(visit)),
            ("service", text(&format!("{service}@1"))),
            ("outcome", int(outcome)),
        ];
        columns.extend(person.map(|number| ("person_id", id(number))));
        if outcome >= LATER {
            columns.push(("failure", int(35)));
        }
        self.insert("service_rows", number, &columns);
    }

    pub fn stock(&self, number: u32, indicator: &str, unit: &str, on: &str, version: i64, value: i64) {
        let columns = [
            ("indicator", text(&format!("{indicator}@1"))),
            ("unit", text(unit)),
            ("date", day(on)),
            ("version", int(version)),
            ("value", int(value)),
            ("operator", text("=")),
            ("source", text("Công an")),
        ];
        self.insert("stock_values", number, &columns);
    }

    pub fn rows(&self, sql: &Sql) -> Vec<Vec<Value>> {
        let mut statement = self.0.prepare(&sql.text).unwrap_or_else(|error| panic!("{error}\n{}", sql.text));
        let width = statement.column_count();
        let params = sql.params.iter().map(|param| match param {
            Param::Int(number) => Value::Integer(*number),
            Param::Text(text) => Value::Text(text.clone()),
            Param::Blob(bytes) => Value::Blob(bytes.clone()),
        });
        let rows = statement
            .query_map(params_from_iter(params), |row| (0..width).map(|at| row.get(at)).collect())
            .expect("runs");
        rows.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}\n{}", sql.text))
    }

    /// The figure and the number of lines; a figure that is not known is none.
    pub fn figure(&self, indicator: &Indicator, query: &Query) -> (Option<i64>, i64) {
        let rows = self.rows(&compile(indicator, query).expect("compiles"));
        let value = match rows[0][0] {
            Value::Integer(value) => Some(value),
            _ => None,
        };
        let Value::Integer(lines) = rows[0][1] else { panic!("lines") };
        (value, lines)
    }

    pub fn value(&self, code: &str, query: &Query) -> Option<i64> {
        self.figure(Indicators::packaged().newest(code).expect(code), query).0
    }

    pub fn values(&self, codes: &[&str], query: &Query) -> Vec<i64> {
        codes.iter().map(|code| self.value(code, query).expect(code)).collect()
    }

    /// All lines, read in pages of two.
    pub fn lines(&self, indicator: &Indicator, query: &Query) -> Vec<Vec<Value>> {
        let mut all: Vec<Vec<Value>> = Vec::new();
        let mut after = None;
        loop {
            let page = self.rows(&compile_lines(indicator, query, after.as_ref(), 2).expect("compiles"));
            let Some(last) = page.last() else { return all };
            let (Value::Blob(id), Value::Blob(apart), Value::Integer(days)) = (&last[0], &last[1], &last[3])
            else {
                panic!("{last:?}")
            };
            after = Some(LineKey {
                date: CivilDate(*days as i32),
                id: RowId::from_slice(id).expect("12 bytes"),
                apart: apart.clone(),
            });
            all.extend(page);
        }
    }
}

pub fn key(value: &Value) -> String {
    format!("{value:?}")
}

/// The figure as its lines give it.
pub fn from_lines(indicator: &Indicator, lines: &[Vec<Value>]) -> i64 {
    let sum = || lines.iter().map(|line| if let Value::Integer(n) = line[6] { n } else { 0 }).sum();
    match &indicator.compute {
        Compute::Facts(facts) => match facts.measure {
            Measure::Count => lines.len() as i64,
            Measure::Distinct(_) => {
                lines.iter().map(|line| key(&line[6])).collect::<BTreeSet<_>>().len() as i64
            }
            Measure::Sum(_) => sum(),
        },
        _ => sum(),
    }
}
