//! The views and their columns, as data: what an indicator may name.
//!
//! Pure data, held to `views/*.sql` by an integration test of the store. SQL takes the name of a view or column
//! from here, never from content.

/// One view.
#[derive(Debug)]
pub struct View {
    /// The SQL view.
    pub name: &'static str,
    /// In the order of the SQL. Every view has `id`, `scope`, `visit_id`, `date` and `unit`.
    pub columns: &'static [Column],
    /// The column that together with `id` tells its rows apart, when `id` alone does not.
    pub told_apart_by: Option<&'static str>,
}

/// One column of a view.
#[derive(Debug)]
pub struct Column {
    /// The SQL column.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// A row's id, or a key made of ids.
    Id,
    /// A whole number, 0 and 1 for no and yes.
    Int,
    /// An open integer of the named list (or a failure code's number).
    Enum(&'static str),
    /// Days since 1970-01-01.
    Date,
    /// A text of people.
    Text,
    /// A code, with or without version.
    Code,
}

impl View {
    /// The view of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        VIEWS.iter().find(|view| view.name == name)
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

const fn c(name: &'static str, holds: Holds) -> Column {
    Column { name, holds }
}

use Holds::{Code, Date, Enum, Id, Int, Text};

/// Views that others stand on; indicators do not name them.
pub static BASE_VIEWS: &[&str] = &["person_identities", "household_identities", "scope_teams"];

/// The views that indicators may name.
pub static VIEWS: &[View] = &[
    View {
        name: "visit_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("household_id", Id),
            c("anonymous", Int),
            c("poverty", Enum("poverty")),
            c("hamlet_id", Id),
            c("unit", Code),
            c("date", Date),
            c("start_minute", Int),
            c("end_minute", Int),
            c("place", Enum("place_kinds")),
            c("language", Enum("languages")),
            c("signal", Enum("signals")),
            c("member_count", Int),
            c("plan_id", Id),
            c("team_unit", Code),
            c("team_kind", Enum("team_kinds")),
        ],
    },
    View { name: "service_facts", told_apart_by: None, columns: SERVICE },
    View { name: "result_facts", told_apart_by: None, columns: RESULT },
    View {
        name: "follow_up_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("household_id", Id),
            c("person_id", Id),
            c("service", Code),
            c("service_code", Code),
            c("date", Date),
            c("done_on", Date),
            c("cancelled_on", Date),
            c("member_id", Id),
            c("hamlet_id", Id),
            c("unit", Code),
            c("plan_id", Id),
            c("team_unit", Code),
            c("team_kind", Enum("team_kinds")),
        ],
    },
    View {
        name: "grant_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("item", Enum("grant_items")),
            c("household_id", Id),
            c("poverty", Enum("poverty")),
            c("person_id", Id),
            c("donor", Text),
            c("unit", Code),
            c("date", Date),
            c("plan_id", Id),
            c("with_sim_4g", Int),
            c("with_vneid", Int),
            c("team_unit", Code),
            c("team_kind", Enum("team_kinds")),
        ],
    },
    View {
        name: "session_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("kind", Enum("session_kinds")),
            c("topic", Text),
            c("organiser", Text),
            c("unit", Code),
            c("hamlet_id", Id),
            c("date", Date),
            c("headcount", Int),
            c("member_count", Int),
            c("plan_id", Id),
            c("team_unit", Code),
            c("team_kind", Enum("team_kinds")),
        ],
    },
    View {
        name: "group_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("name", Text),
            c("kind", Enum("group_kinds")),
            c("unit", Code),
            c("date", Date),
            c("team_unit", Code),
            c("team_kind", Enum("team_kinds")),
        ],
    },
    View {
        name: "membership_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("group_id", Id),
            c("group_name", Text),
            c("kind", Enum("group_kinds")),
            c("person_id", Id),
            c("member_key", Id),
            c("unit", Code),
            c("date", Date),
            c("left_on", Date),
            c("team_unit", Code),
            c("team_kind", Enum("team_kinds")),
        ],
    },
    View {
        name: "census_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("hamlet_id", Id),
            c("household_id", Id),
            c("date", Date),
            c("adults", Int),
            c("smartphones", Int),
            c("hamlet_total", Int),
            c("unit", Code),
            c("team_unit", Code),
            c("team_kind", Enum("team_kinds")),
        ],
    },
    View {
        name: "work_facts",
        told_apart_by: Some("member_id"),
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("member_id", Id),
            c("date", Date),
            c("plan_id", Id),
            c("unit", Code),
            c("hamlet_id", Id),
            c("pieces", Int),
            c("team_unit", Code),
            c("team_kind", Enum("team_kinds")),
        ],
    },
    View {
        name: "run_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("tutorial", Code),
            c("tutorial_code", Code),
            c("member_id", Id),
            c("date", Date),
            c("minutes", Int),
            c("teach_back", Int),
            c("step_count", Int),
            c("phone_model", Text),
            c("os_version", Text),
            c("unit", Code),
        ],
    },
    View {
        name: "review_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("run_id", Id),
            c("verdict", Enum("verdicts")),
            c("trainer_id", Id),
            c("date", Date),
            c("tutorial", Code),
            c("tutorial_code", Code),
            c("member_id", Id),
            c("unit", Code),
        ],
    },
    View {
        name: "stock_facts",
        told_apart_by: None,
        columns: &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("unit", Code),
            c("indicator", Code),
            c("indicator_code", Code),
            c("operator", Text),
            c("value", Int),
            c("numerator", Int),
            c("denominator", Int),
            c("source", Text),
            c("date", Date),
            c("version", Int),
            c("nth", Int),
        ],
    },
];

macro_rules! service_columns {
    ($($more:expr),*) => {
        &[
            c("id", Id),
            c("scope", Int),
            c("visit_id", Id),
            c("person_id", Id),
            c("band", Enum("age_bands")),
            c("sex", Enum("sexes")),
            c("household_id", Id),
            c("poverty", Enum("poverty")),
            c("service", Code),
            c("service_code", Code),
            c("outcome", Enum("outcomes")),
            c("failure", Enum("failure_codes")),
            c("evidence", Enum("evidence")),
            c("last_step", Int),
            c("tutorial", Code),
            c("run_id", Id),
            c("date", Date),
            c("unit", Code),
            c("hamlet_id", Id),
            c("plan_id", Id),
            c("place", Enum("place_kinds")),
            c("language", Enum("languages")),
            c("signal", Enum("signals")),
            c("team_unit", Code),
            c("team_kind", Enum("team_kinds")),
            $($more),*
        ]
    };
}

static SERVICE: &[Column] = service_columns!();
static RESULT: &[Column] = service_columns!(c("nth", Int));
