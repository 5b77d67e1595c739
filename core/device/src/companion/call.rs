//! Calls by name: JSON in, JSON out, one for one with the methods of the features, so that anything can drive a
//! phone.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Changed, Companion};
use crate::ballast;
use crate::error::{AppError, Result};

mod blame;

type Call = fn(&Companion, &Value) -> Result<Value>;

macro_rules! calls {
    ($($feature:ident { $($method:ident),* $(,)? })*) => {
        /// Every call that does not wait for the hub, by `feature.method`.
        pub(super) static CALLS: &[(&str, Call)] = &[$($(
            (concat!(stringify!($feature), ".", stringify!($method)), |companion, input| {
                with_json(input, |input| companion.$feature().$method(input))
            }),
        )*)*];
    };
}

calls! {
    enrolment { read_invite }
    sync { get_status, set_budget, stop_sync, list_unarrived, list_sync_problems }
    events {
        log_session, log_grant, log_group, log_membership, log_memberships, log_work_day, list_events, list_groups,
    }
    consents { get_script, record_consent, withdraw_consent }
    contacts { save_contact, erase_contact }
    drafts { save_draft, get_draft, list_drafts, discard_draft }
    content { list_services, list_failure_codes, get_failure_help, list_tutorials, get_tutorial }
    units { list_hamlets, find_units }
    census { get_census, mark_household_seen }
    team { get_team, list_members, list_plans, list_person_days, list_work_queue }
    figures { list_figures, explain_figure, list_figure_lines }
    today { get_day }
    settings { get_settings, update_settings, get_storage }
    exports { write_figures, write_person_days }
    checklists {
        start_run, get_run, record_step, finish_run, list_open_runs, list_returned_runs, answer_review,
    }
    follow_ups { plan_follow_up, list_follow_ups, move_follow_up, hand_follow_up, finish_follow_up }
    conflicts { list_conflicts, settle_conflict }
    set_aside { list_own_set_aside }
    reviews { list_waiting, get_review, approve_run, send_back_run, list_failing_steps }
    identity { get_card }
    me { get_month }
    about { get_about }
    visits {
        get_visit_form, check_visit, log_visit, log_visits, get_visit, list_visits, correct_visit, take_back_visit,
        list_visit_history,
    }
    duplicates { find_similar, list_pairs, merge_rows, split_merged, dismiss_pair }
    households {
        suggest_label, check_label, find_households, list_recent, list_households, get_household,
        list_household_visits, create_household, add_person, update_person, update_household, move_household,
        void_household, get_rights_slip,
    }
}

/// The call of the whole phone, whose feature cannot bear that name here.
const OF_PHONE: (&str, Call) =
    ("phone.get_state", |companion, input| with_json(input, |input| companion.state().get_state(input)));

fn with_json<I: DeserializeOwned, O: Serialize>(
    input: &Value,
    run: impl FnOnce(I) -> Result<O>,
) -> Result<Value> {
    give(&run(take(input)?)?)
}

/// The calls that wait for the hub.
const WAITING: [&str; 6] = [
    "sync.sync_now",
    "enrolment.join_team",
    "set_aside.list_set_aside",
    "set_aside.admit_changes",
    "set_aside.admit_and_void",
    "set_aside.reenter_change",
];

fn take<I: DeserializeOwned>(input: &Value) -> Result<I> {
    // A list would pass for a record whose fields come in order.
    if !input.is_object() {
        return Err(AppError::invalid("", "wrong_type"));
    }
    let judge = |input: &Value| I::deserialize(input).err().map(|error| error.to_string());
    I::deserialize(input).map_err(|error| blame::refused(input, &error.to_string(), &judge))
}

fn give<O: Serialize>(output: &O) -> Result<Value> {
    serde_json::to_value(output).map_err(AppError::unexpected)
}

impl Companion {
    /// Runs the call of that name. `{}` stands for a call that takes nothing.
    ///
    /// # Errors
    /// `NotFound` for an unknown name, `InvalidInput` for JSON of another shape, and what the method itself refuses.
    pub fn call(&self, name: &str, input: Value) -> Result<Value> {
        let (_, call) =
            CALLS.iter().chain([&OF_PHONE]).find(|(of, _)| *of == name).ok_or(AppError::NotFound)?;
        self.attempt(|companion| call(companion, &input))
    }

    /// Runs one call as a shell should: a call that meets damage has it mended, see [`Companion::heal`], and one that
    /// finds the disk full is given the room kept for that; it is made again if it had saved nothing.
    ///
    /// # Errors
    /// Those of the call.
    pub fn attempt<O>(&self, call: impl Fn(&Self) -> Result<O>) -> Result<O> {
        self.open_again()?;
        let (saves, had_ballast) = {
            let phone = self.phone();
            (phone.saves, ballast::is_kept(phone.folder.path()))
        };
        let is_lighter = || {
            let phone = self.phone();
            had_ballast && phone.saves == saves && !ballast::is_kept(phone.folder.path())
        };
        let answer = match call(self) {
            // Nothing was saved, and now there is room.
            Err(AppError::StorageFull) if is_lighter() => call(self),
            Err(AppError::Corrupt) if self.heal_after(saves)? => call(self),
            answer => answer,
        };
        let book = self.phone().saves != saves;
        if book {
            self.has_changed(Changed { book, ..Changed::default() });
        }
        answer
    }

    /// As [`Companion::call`], and also runs the calls that wait for the hub.
    ///
    /// # Errors
    /// As [`Companion::call`].
    pub async fn call_and_wait(&self, name: &str, input: Value) -> Result<Value> {
        macro_rules! waiting {
            ($feature:ident . $method:ident) => {
                give(&self.attempt_waiting(|| async { self.$feature().$method(take(&input)?).await }).await?)
            };
        }
        match name {
            "sync.sync_now" => waiting!(sync.sync_now),
            "enrolment.join_team" => waiting!(enrolment.join_team),
            "set_aside.list_set_aside" => waiting!(set_aside.list_set_aside),
            "set_aside.admit_changes" => waiting!(set_aside.admit_changes),
            "set_aside.admit_and_void" => waiting!(set_aside.admit_and_void),
            "set_aside.reenter_change" => waiting!(set_aside.reenter_change),
            _ => self.call(name, input),
        }
    }

    /// As [`Companion::attempt`], for a call that waits for the hub.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn attempt_waiting<O, F>(&self, call: impl Fn() -> F) -> Result<O>
    where
        F: Future<Output = Result<O>>,
    {
        self.open_again()?;
        let saves = self.phone().saves;
        match call().await {
            Err(AppError::Corrupt) if self.heal_after(saves)? => call().await,
            answer => answer,
        }
    }

    /// Every name that [`Companion::call_and_wait`] knows.
    pub fn call_names() -> impl Iterator<Item = &'static str> {
        CALLS.iter().chain([&OF_PHONE]).map(|(name, _)| *name).chain(WAITING)
    }
}
