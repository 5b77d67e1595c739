//! The registry: every table and field of the record, with its number, type, first schema and who may write it.
//!
//! Pure data. The codec, the merge, the SQL of a replica, redaction, the role check at the hub and
//! `docs/schema.md` all read it, so that a new field is one line here and one migration. Numbers are for ever: a
//! field that goes out of use keeps its number. **Tables from 64 hold personal values**, so that an old phone can
//! erase what it cannot read. Field 0 of every table is `void` and is not listed.

mod tables;

pub use tables::CURRENT;

/// The number of the void field that every table has: true = struck out, kept and no longer counted.
pub const VOID: u8 = 0;
/// From this table number on, rows hold personal values (design section 4).
pub const FIRST_PERSONAL_TABLE: u8 = 64;
/// Longest text of people, in bytes of UTF-8.
pub const MAX_NOTE: u32 = 4096;

/// All tables of one schema version. Programs use [`CURRENT`]; tests hand in older or newer ones.
#[derive(Debug, Clone, Copy)]
pub struct Registry {
    /// The schema version, from 1, written in every frame.
    pub schema: u16,
    /// In order of their numbers.
    pub tables: &'static [Table],
}

/// One table: a kind of row.
#[derive(Debug)]
pub struct Table {
    /// On the wire, for ever.
    pub number: u8,
    /// Singular, as in the design.
    pub name: &'static str,
    /// The SQL table.
    pub plural: &'static str,
    /// The kind of scope its rows live in.
    pub scope: ScopeKind,
    /// A fact: a correction needs a reason.
    pub fact: bool,
    /// Who may create and patch its rows.
    pub writers: Roles,
    /// In order of their numbers, from 1.
    pub fields: &'static [Field],
    /// What a row says, for the documentation.
    pub doc: &'static str,
}

/// One field of a table.
#[derive(Debug)]
pub struct Field {
    /// On the wire, for ever; from 1.
    pub number: u8,
    /// The SQL column.
    pub name: &'static str,
    /// Shape and bounds.
    pub kind: Kind,
    /// The schema version that brought it.
    pub since: u16,
    /// What it says, unit included.
    pub doc: &'static str,
}

/// The shape of a field's value. Null is always allowed: a patch clears a field by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Int,
    /// Yes or no.
    Bool,
    /// Text of people in NFC, at most that many bytes.
    Text(u32),
    /// Days since 1970-01-01, civil date of Vietnam.
    Date,
    /// An open integer of the named list in `fixtures/codes/lists.json` (or a failure code's number).
    Enum(&'static str),
    /// A row of the named table.
    Ref(&'static str),
    /// Rows of the named table, at most 64.
    RefList(&'static str),
    /// Content or a unit by code and version (`T1@3`, `06838@2025`), or a short code.
    Code,
    /// Bytes, at most that many.
    Bytes(u32),
    /// Fixed decimal: thousandths, for imported figures such as 62.5 %.
    Thousandths,
}

/// The kinds of scope; open integers on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScopeKind {
    /// What one team knows; read by its members.
    Team = 1,
    /// Checklist runs and reviews; read by members and by the trainers who train them. Nothing personal.
    Training = 2,
    /// Plans, imported stock figures and reports of a place.
    Place = 3,
    /// Content newer than the packed release.
    Reference = 4,
}

impl ScopeKind {
    /// From its number; none for kinds this version does not know.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Team, Self::Training, Self::Place, Self::Reference]
            .into_iter()
            .find(|kind| *kind as i64 == number)
    }
}

/// What a device may be in a scope; open integers, the list `roles` of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Thành viên.
    Member = 1,
    /// Tổ phó.
    Deputy = 2,
    /// Tổ trưởng.
    Lead = 3,
    /// Giảng viên.
    Trainer = 4,
    /// Cán bộ xã: reads figures, writes nothing that travels.
    Officer = 5,
    /// The hub itself.
    Hub = 6,
}

impl Role {
    /// From its number; none for roles this version does not know.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Member, Self::Deputy, Self::Lead, Self::Trainer, Self::Officer, Self::Hub]
            .into_iter()
            .find(|role| *role as i64 == number)
    }
}

/// A set of roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles(pub u8);

impl Roles {
    /// The hub and all of a team.
    pub const TEAM: Self =
        Self(1 << Role::Member as u8 | 1 << Role::Deputy as u8 | 1 << Role::Lead as u8 | Self::HUB.0);
    /// The hub and trainers.
    pub const TRAINER: Self = Self(1 << Role::Trainer as u8 | Self::HUB.0);
    /// The hub alone.
    pub const HUB: Self = Self(1 << Role::Hub as u8);

    /// Whether the role is in the set.
    pub fn has(self, role: Role) -> bool {
        self.0 >> role as u8 & 1 == 1
    }
}

impl Registry {
    /// The table of that number, when this schema knows it.
    pub fn table(&self, number: u8) -> Option<&'static Table> {
        self.tables.binary_search_by_key(&number, |table| table.number).ok().map(|at| &self.tables[at])
    }

    /// The table of that singular name.
    pub fn named(&self, name: &str) -> Option<&'static Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

impl Table {
    /// The field of that number (not for [`VOID`]), when this schema knows it.
    pub fn field(&self, number: u8) -> Option<&'static Field> {
        self.fields.binary_search_by_key(&number, |field| field.number).ok().map(|at| &self.fields[at])
    }

    /// The field of that name.
    pub fn named(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether its rows hold personal values.
    pub fn is_personal(&self) -> bool {
        self.number >= FIRST_PERSONAL_TABLE
    }
}

/// The bounds of lists of references.
pub const MAX_REFS: usize = 64;
/// The bound of a code with its version, in bytes.
pub const MAX_CODE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_references_lead_somewhere() {
        let mut names = std::collections::BTreeSet::new();
        for pair in CURRENT.tables.windows(2) {
            assert!(pair[0].number < pair[1].number, "{}", pair[1].name);
        }
        for table in CURRENT.tables {
            assert!(names.insert(table.name) && names.insert(table.plural), "{} twice", table.name);
            for pair in table.fields.windows(2) {
                assert!(pair[0].number < pair[1].number, "{}.{}", table.name, pair[1].name);
            }
            for field in table.fields {
                assert!(field.number > VOID && (1..=CURRENT.schema).contains(&field.since), "{}", field.name);
                if let Kind::Ref(target) | Kind::RefList(target) = field.kind {
                    assert!(CURRENT.named(target).is_some(), "{}.{} -> {target}", table.name, field.name);
                }
            }
        }
    }

    #[test]
    fn names_and_numbers_of_citizens_live_in_personal_tables_only() {
        for table in CURRENT.tables.iter().filter(|table| !table.is_personal()) {
            for field in table.fields {
                let of_a_citizen = ["phone", "display_name"].contains(&field.name);
                assert!(!of_a_citizen, "{}.{}", table.name, field.name);
            }
        }
    }
}
