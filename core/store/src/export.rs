//! A scope as the bodies of state frames: every row with its versions, and what was applied of each writer.
//!
//! Read in one transaction and one row after another; what is held in memory grows with the writers alone.

use std::collections::HashMap;

use langso_domain::id::{DeviceId, RowId, ScopeId, Writer};
use langso_domain::registry::{Kind, Registry, Table, VOID};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::Name;
use langso_sync::clock::Stamp;
use langso_sync::merge;
use langso_sync::state::{Body, BodyBuilder, Numbers, StateRow, WriterMemory};
use langso_sync::value::Value;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Rows};

use crate::columns::{Texts, from_sql};
use crate::schema::Replica;
use crate::writers::ranges;
use crate::{Error, Result};

impl Replica {
    /// Hands the state of a scope to `emit`, in bodies of about `body_bytes` in the order of frames, at least one; gives
    /// what it is of.
    /// A writer of this process counts up to what has been noted of it.
    ///
    /// # Errors
    /// [`Error::UnknownScope`], [`Error::Sqlite`], [`Error::Malformed`] for damaged versions; or what `emit` gives.
    pub fn export<E: From<Error>>(
        &self,
        scope: ScopeId,
        body_bytes: usize,
        mut emit: impl FnMut(Body) -> std::result::Result<(), E>,
    ) -> std::result::Result<Cursor, E> {
        // One state of the file for all of it.
        let tx = self.connection.unchecked_transaction().map_err(Error::from)?;
        let (number, of) = place(&tx, scope)?.ok_or(Error::UnknownScope)?;
        let sources = sources(&tx, self.schema.registry, &self.texts, number)?;
        let writers = writers(&tx, number, &sources)?;
        let numbers = Numbers::new(writers.iter().map(|memory| memory.writer));
        let order: Vec<Writer> = writers.iter().map(|memory| memory.writer).collect();
        let mut builder = BodyBuilder::new(body_bytes);
        let mut is_any = false;
        let mut put = |builder: &mut BodyBuilder, is_due: bool| {
            if !is_due {
                return Ok(());
            }
            is_any = true;
            emit(builder.take(&numbers))
        };
        for memory in writers {
            builder.push_writer(memory);
            let is_full = builder.is_full();
            put(&mut builder, is_full)?;
        }
        let statements = sources.iter().map(|source| source.rows(&tx, &self.texts));
        let mut statements = statements.collect::<Result<Vec<_>>>()?;
        for writer in order {
            let mut merged = Merged::new(&sources, &mut statements, number, writer)?;
            while let Some(row) = merged.next()? {
                builder.push_row(row);
                let is_full = builder.is_full();
                put(&mut builder, is_full)?;
            }
        }
        let is_left = !builder.is_empty();
        put(&mut builder, is_left)?;
        if !is_any {
            emit(Body::default())?;
        }
        Ok(of)
    }
}

/// A scope's number and how far it has been applied.
pub(crate) fn place(connection: &Connection, scope: ScopeId) -> Result<Option<(i64, Cursor)>> {
    let mut get = connection.prepare_cached("SELECT number, position, chain FROM scopes WHERE scope = ?1")?;
    let found = get.query_row([scope.0], |row| {
        let position = row.get::<_, i64>(1)? as u64;
        Ok((row.get(0)?, Cursor { position, chain: Chain(row.get(2)?) }))
    });
    Ok(found.optional()?)
}

/// A table with rows of the scope; those that this schema does not know are told by their number.
struct Source {
    number: u8,
    table: Option<&'static Table>,
    /// Each writer's first stamp here; none when only patches are known.
    first: HashMap<Writer, Option<i64>>,
}

fn sources(connection: &Connection, registry: Registry, texts: &Texts, scope: i64) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for table in registry.tables {
        let first = first_stamps(connection.prepare_cached(&texts.of(table).stamps)?.query([scope])?)?;
        sources.push(Source { number: table.number, table: Some(table), first });
    }
    let sql = "SELECT DISTINCT table_number FROM unknown_rows WHERE scope = ?1";
    let unknown: Vec<u8> = connection
        .prepare_cached(sql)?
        .query_map([scope], |row| row.get(0))?
        .collect::<std::result::Result<_, _>>()?;
    for number in unknown {
        let sql = "SELECT id, v_stamp FROM unknown_rows WHERE table_number = ?1 AND scope = ?2";
        let first = first_stamps(connection.prepare_cached(sql)?.query((number, scope))?)?;
        sources.push(Source { number, table: None, first });
    }
    sources.retain(|source| !source.first.is_empty());
    sources.sort_by_key(|source| source.number);
    Ok(sources)
}

fn first_stamps(mut rows: Rows<'_>) -> Result<HashMap<Writer, Option<i64>>> {
    let mut first: HashMap<Writer, Option<i64>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let id: [u8; 12] = row.get(0)?;
        let stamp = Some(row.get::<_, i64>(1)?).filter(|stamp| *stamp > 0);
        let known = first.entry(writer_of(&id)).or_insert(stamp);
        *known = (*known).into_iter().chain(stamp).min();
    }
    Ok(first)
}

fn writer_of(id: &[u8; 12]) -> Writer {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&id[..8]);
    Writer(u64::from_be_bytes(bytes))
}

/// Every writer that was applied or has rows, oldest first: rows of one day then lie side by side.
fn writers(connection: &Connection, scope: i64, sources: &[Source]) -> Result<Vec<WriterMemory>> {
    let mut get =
        connection.prepare_cached("SELECT writer, device, upto, beyond FROM writers WHERE scope = ?1")?;
    let mut rows = get.query([scope])?;
    let mut known: HashMap<Writer, WriterMemory> = HashMap::new();
    while let Some(row) = rows.next()? {
        let writer = Writer(row.get::<_, i64>(0)? as u64);
        let beyond: Option<Vec<u8>> = row.get(3)?;
        let beyond = ranges(beyond.as_deref());
        let device = Some(DeviceId(row.get(1)?));
        known.insert(writer, WriterMemory { writer, device, upto: row.get(2)?, beyond });
    }
    for writer in sources.iter().flat_map(|source| source.first.keys()) {
        known.entry(*writer).or_insert_with(|| WriterMemory {
            writer: *writer,
            device: None,
            upto: 0,
            beyond: Vec::new(),
        });
    }
    let first = |writer: Writer| sources.iter().filter_map(|source| *source.first.get(&writer)?).min();
    let mut writers: Vec<WriterMemory> = known.into_values().collect();
    writers.sort_by_cached_key(|memory| (first(memory.writer).unwrap_or(i64::MAX), memory.writer));
    Ok(writers)
}

impl Source {
    /// The rows of one writer: parameters are scope, first and last id, and for unknown tables the number.
    fn rows<'c>(&self, connection: &'c Connection, texts: &Texts) -> Result<CachedStatement<'c>> {
        if let Some(table) = self.table {
            return Ok(connection.prepare_cached(&texts.of(table).between)?);
        }
        let sql = format!(
            "SELECT id, v_stamp, v_more FROM unknown_rows
             WHERE table_number = {} AND id BETWEEN ?2 AND ?3 AND scope = ?1 ORDER BY id",
            self.number
        );
        Ok(connection.prepare_cached(&sql)?)
    }
}

/// The rows of one writer out of all tables, in order of their ids and then their tables.
struct Merged<'s> {
    sources: Vec<(&'s Source, Rows<'s>, Option<StateRow>)>,
}

impl<'s> Merged<'s> {
    fn new(
        sources: &'s [Source],
        statements: &'s mut [CachedStatement<'_>],
        scope: i64,
        writer: Writer,
    ) -> Result<Self> {
        let edge = |fill: u8| {
            let mut id = [fill; 12];
            id[..8].copy_from_slice(&writer.0.to_be_bytes());
            id
        };
        let mut open = Vec::new();
        for (source, statement) in sources.iter().zip(statements) {
            if !source.first.contains_key(&writer) {
                continue;
            }
            let mut rows = statement.query((scope, edge(0), edge(0xFF)))?;
            let first = rows.next()?.map(|row| state_row(source, row)).transpose()?;
            open.push((source, rows, first));
        }
        Ok(Self { sources: open })
    }

    fn next(&mut self) -> Result<Option<StateRow>> {
        let order =
            |(_, (.., row)): &(usize, &(_, _, Option<StateRow>))| row.as_ref().map(|row| (row.id, row.table));
        let first = self.sources.iter().enumerate().filter(|one| order(one).is_some()).min_by_key(order);
        let Some(at) = first.map(|(at, _)| at) else { return Ok(None) };
        let (source, rows, row) = &mut self.sources[at];
        let next = rows.next()?.map(|row| state_row(source, row)).transpose()?;
        Ok(std::mem::replace(row, next))
    }
}

fn state_row(source: &Source, row: &Row<'_>) -> Result<StateRow> {
    let id = RowId(row.get(0)?);
    let stamp: i64 = row.get(1)?;
    let more = row.get_ref(2)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    let mut versions = more.map(|more| merge::decode(id, more)).transpose()?.unwrap_or_default();
    let created = (stamp > 0).then_some(Stamp(stamp as u64));
    let mut values = Vec::new();
    if let Some(table) = source.table.filter(|_| created.is_some()) {
        let fields = table.fields.iter().map(|field| (field.number, field.kind));
        for (at, (number, kind)) in std::iter::once((VOID, Kind::Bool)).chain(fields).enumerate() {
            let value = from_sql(kind, row.get_ref(3 + at)?);
            if value != Value::Null && !versions.contains_key(&number) {
                values.push((number, value));
            }
        }
    }
    // What only the create wrote is a plain value, whether this schema has a column for it or not.
    versions.retain(|number, field| match field.heads.as_slice() {
        [head] if head.name == Name::Create && field.awaited.is_empty() => {
            values.push((*number, head.value.clone()));
            false
        }
        _ => true,
    });
    values.sort_unstable_by_key(|(number, _)| *number);
    Ok(StateRow { table: source.number, id, created, values, versions })
}
