//! Values of fields as they travel: typed by their CBOR shape alone, so that a value this version does not know is
//! kept as its bytes. The registry's types are checked where rows are written, not here.

use langso_domain::id::{Key, RowId};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::change::Malformed;

/// The tag of a reference: around a number, a row of the same change; around 12 bytes, any other row.
const REFERENCE: minicbor::data::Tag = minicbor::data::Tag::new(6);

/// A value of one field.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Value {
    /// No value; a patch clears a field by it.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number, an enum's number, or days.
    Int(i64),
    /// Text in NFC.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Another row, always by its full id in memory.
    Ref(RowId),
    /// Other rows.
    Refs(Vec<RowId>),
    /// One CBOR item of a shape this version does not know, as it came. References of the same change inside it
    /// mean that change; [`Value::Other`] is only ever read beside its key.
    Other(Vec<u8>),
}

type Sink<'a> = Encoder<&'a mut Vec<u8>>;
type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn put_reference(to: &mut Sink<'_>, own: Key, row: RowId) -> Written {
    to.tag(REFERENCE)?;
    if row.key() == Some(own) {
        to.u8(row.place())?
    } else {
        to.bytes(&row.0)?
    };
    Ok(())
}

pub(crate) fn put(to: &mut Sink<'_>, own: Key, value: &Value) -> Written {
    match value {
        Value::Null => to.null()?,
        Value::Bool(yes) => to.bool(*yes)?,
        Value::Int(number) => to.i64(*number)?,
        Value::Text(text) => to.str(text)?,
        Value::Bytes(bytes) => to.bytes(bytes)?,
        Value::Ref(row) => return put_reference(to, own, *row),
        Value::Refs(rows) => {
            to.array(rows.len() as u64)?;
            for row in rows {
                put_reference(to, own, *row)?;
            }
            to
        }
        Value::Other(raw) => {
            to.writer_mut().extend_from_slice(raw);
            to
        }
    };
    Ok(())
}

/// Reads a reference; the position stays where it was when there is none.
pub(crate) fn get_reference(from: &mut Decoder<'_>, own: Key) -> Option<RowId> {
    let start = from.position();
    let read = (|| {
        if from.tag().ok()? != REFERENCE {
            return None;
        }
        match from.datatype().ok()? {
            Type::U8 => from.u8().ok().map(|place| own.row(place)),
            Type::Bytes => RowId::from_slice(from.bytes().ok()?),
            _ => None,
        }
    })();
    if read.is_none() {
        from.set_position(start);
    }
    read
}

fn get_references(from: &mut Decoder<'_>, own: Key) -> Option<Vec<RowId>> {
    let start = from.position();
    let count = from.array().ok()??;
    let mut rows = Vec::new();
    for _ in 0..count.min(langso_domain::registry::MAX_REFS as u64 + 1) {
        match get_reference(from, own) {
            Some(row) => rows.push(row),
            None => break,
        }
    }
    if rows.len() as u64 != count {
        from.set_position(start);
        return None;
    }
    Some(rows)
}

pub(crate) fn get(from: &mut Decoder<'_>, own: Key) -> Result<Value, Malformed> {
    let start = from.position();
    let known = match from.datatype()? {
        Type::Null => from.null().map(|()| Value::Null).ok(),
        Type::Bool => from.bool().map(Value::Bool).ok(),
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64
        | Type::Int => from.i64().map(Value::Int).ok(),
        Type::String => Some(Value::Text(from.str()?.to_owned())),
        Type::Bytes => Some(Value::Bytes(from.bytes()?.to_owned())),
        Type::Tag => get_reference(from, own).map(Value::Ref),
        Type::Array => get_references(from, own).map(Value::Refs),
        _ => None,
    };
    match known {
        Some(value) => Ok(value),
        None => {
            from.set_position(start);
            from.skip()?;
            Ok(Value::Other(from.input()[start..from.position()].to_owned()))
        }
    }
}

macro_rules! value_from {
    ($($from:ty => |$value:ident| $made:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self { $made }
        }
    )*};
}
value_from! {
    bool => |yes| Value::Bool(yes);
    i64 => |number| Value::Int(number);
    u32 => |number| Value::Int(i64::from(number));
    u16 => |number| Value::Int(i64::from(number));
    u8 => |number| Value::Int(i64::from(number));
    String => |text| Value::Text(text);
    &str => |text| Value::Text(text.to_owned());
    Vec<u8> => |bytes| Value::Bytes(bytes);
    RowId => |row| Value::Ref(row);
    Vec<RowId> => |rows| Value::Refs(rows);
    langso_domain::date::CivilDate => |date| Value::Int(i64::from(date.0));
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
