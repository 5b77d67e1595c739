//! Records that several features share, and the small steps between rows and records.

use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, HouseholdId, PersonId, PlanId};
use langso_domain::units::UnitCode;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A call that takes nothing, or gives nothing: `{}` in JSON. It never crosses: no argument, and no answer there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A civil date as records carry it: `yyyy-mm-dd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub CivilDate);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        CivilDate::parse_iso(&text).map(Self).ok_or_else(|| serde::de::Error::custom("not a date"))
    }
}

/// What becomes of a field of a correction that is named. One that is not named stays as it is: `None` here, an absent
/// field in JSON.
pub(crate) trait Edit {
    /// What the field holds.
    type Held;

    /// What it is to hold; none = it stays as it is.
    fn named(&self) -> Option<Option<Self::Held>>;

    /// What it holds afterwards, where this stood before.
    fn after(&self, held: Option<Self::Held>) -> Option<Self::Held> {
        self.named().unwrap_or(held)
    }
}

/// An enum for each type of field: an optional of an optional is one optional in Kotlin.
macro_rules! edits {
    ($($(#[$doc:meta])* $name:ident: $of:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
        pub enum $name {
            /// Nothing stands there any more; null in JSON.
            Clear,
            /// This stands there now.
            Set {
                /// What stands there now.
                value: $of,
            },
        }

        impl Edit for Option<$name> {
            type Held = $of;

            fn named(&self) -> Option<Option<$of>> {
                self.as_ref().map(|edit| match edit {
                    $name::Clear => None,
                    $name::Set { value } => Some(value.clone()),
                })
            }
        }

        impl From<Option<$of>> for $name {
            fn from(value: Option<$of>) -> Self {
                value.map_or(Self::Clear, |value| Self::Set { value })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                match self {
                    Self::Clear => serializer.serialize_none(),
                    Self::Set { value } => value.serialize(serializer),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                Option::deserialize(deserializer).map(Self::from)
            }
        }
    )*};
}

/// Tells an absent field from a null one.
pub(crate) fn edit<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

edits! {
    /// What becomes of a number of a list.
    EditChoice: u8;
    /// What becomes of a whole number.
    EditNumber: u16;
    /// What becomes of a text.
    EditText: String;
    /// What becomes of the household that is named.
    EditHousehold: HouseholdId;
    /// What becomes of the person who is named.
    EditPerson: PersonId;
    /// What becomes of the hamlet that is named.
    EditHamlet: HamletId;
    /// What becomes of the campaign that is named.
    EditPlan: PlanId;
    /// What becomes of the commune that is named.
    EditUnit: UnitCode;
}
