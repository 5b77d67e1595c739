//! Sync: sending what is new, fetching what is new, and what has arrived.

use std::sync::atomic::Ordering;

use langso_domain::id::ScopeId;
use langso_sync::frame::FrameError;
use langso_sync::session::{Event, MIN_REQUEST, SessionError};
use langso_sync::wire::{Problem, WireError};
use serde::{Deserialize, Serialize};

use super::set_aside::ENTERED_ANEW;
use super::{Changed, Companion, Nothing, SyncProgress};
use crate::error::{AppError, Result};
use crate::facts::{self, name};
use crate::http::Broken;
use crate::phone::Phone;
use crate::repair::Repair;
use crate::{fall_back, leave, receipts};

mod lists;
mod mend;
mod talk;

use talk::Talk;

pub use lists::{FindUnarrived, SyncProblem, SyncProblems, UnarrivedPage, UnarrivedRows, UnarrivedVisit};

/// What this program calls itself to the hub.
pub(crate) const APP: &str = concat!("langso/", env!("CARGO_PKG_VERSION"));
/// How often a sync says digests: what the hub could not compare at first, it may when all has been fetched.
const MAX_COMPARISONS: u32 = 2;
/// How often a session is taken up again after a cut that brought nothing new.
const MAX_FRUITLESS_CUTS: u32 = 4;

/// The smallest bound that a user may set: a small request and a small reply pass under it.
pub(crate) const LEAST_BUDGET: u64 = 4 * MIN_REQUEST as u64;

/// The feature; see [`Companion::sync`].
pub struct Sync<'a>(pub(super) &'a Companion);

/// How much a sync may cost.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct SyncNow {
    /// The most bytes of bodies, up and down together, headers of the transport apart; none = the phone's budget, or
    /// no bound. No sync goes beyond it.
    #[serde(default)]
    #[uniffi(default)]
    pub max_bytes: Option<u64>,
}

/// What a sync did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SyncReport {
    /// Bytes of request bodies.
    pub bytes_up: u64,
    /// Bytes of reply bodies.
    pub bytes_down: u64,
    /// Requests made.
    pub requests: u32,
    /// Own changes that are on this phone only.
    pub waiting: u64,
    /// False when the budget was spent before the end.
    pub is_done: bool,
}

/// Where this phone's work is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SyncStatus {
    /// Own changes on this phone only.
    pub on_phone: u64,
    /// Own changes at the hub and not yet in its verified backup.
    pub at_hub: u64,
    /// Own changes in the hub's verified backup.
    pub in_backup: u64,
    /// When a sync last came to its end, ms UTC.
    pub last_success_at: Option<i64>,
    /// Own changes that the hub has set aside.
    pub set_aside: u64,
    /// Own changes that the hub had and has lost, since it was restored: among those on this phone only, to be sent
    /// again.
    pub void: u64,
    /// Whether the hub has said that its backup holds anything.
    pub has_backup: bool,
}

/// One sync at a time; taken for its length.
struct Running<'a>(&'a Companion);

impl<'a> Running<'a> {
    fn begin(companion: &'a Companion) -> Result<Self> {
        match companion.sync_running.swap(true, Ordering::AcqRel) {
            true => Err(AppError::Locked { why: "sync_running".to_owned() }),
            false => Ok(Self(companion)),
        }
    }
}

/// However it ends, dropped in its middle too, those who listen hear of it.
impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.sync_running.store(false, Ordering::Release);
        self.0.sync_has_ended();
    }
}

enum Outcome {
    Ended,
    Refused(Problem),
    Broken(Broken),
    Wrong(SessionError),
}

/// What replies have brought.
#[derive(Default)]
struct Brought {
    /// Scopes that the hub says this device no longer has.
    left: Vec<ScopeId>,
    /// Scopes in whose history the hub has not found a place of this phone's.
    elsewhere: Vec<ScopeId>,
    /// Since the last cut.
    a_frame: bool,
    /// Since a listener was last told.
    changed: Changed,
}

impl Sync<'_> {
    /// Sends and fetches until nothing is left, the bytes are spent or the signal is gone. Whatever arrived stays,
    /// whatever did not is sent next time; saving goes on meanwhile. Dropping the future, or [`Sync::stop_sync`],
    /// stops at the next byte and loses nothing.
    ///
    /// # Errors
    /// `Offline` when the hub was not reached or the connection kept breaking, or when whatever is next is longer than all
    /// bytes allowed (`budget_too_small`); `NotAllowed` for a phone the hub has revoked, or does not know
    /// (`unknown_device`): it was restored from before the phone was enrolled, and takes it in again with a new code;
    /// `Locked` while another sync runs.
    pub async fn sync_now(&self, input: SyncNow) -> Result<SyncReport> {
        let _running = Running::begin(self.0)?;
        self.0.sync_stop.store(false, Ordering::Release);
        self.sync_all(input).await
    }

    async fn sync_all(&self, input: SyncNow) -> Result<SyncReport> {
        let mut report = self.exchange_all(input).await?;
        // A row may have been damaged out of one scope into another: each is mended, once.
        while report.is_done {
            let mended = self.mend(self.rest_of(input, &report)?).await?;
            report.bytes_up += mended.bytes_up;
            report.bytes_down += mended.bytes_down;
            report.requests += mended.requests;
            if !mended.is_swapped {
                break;
            }
            // This sync has come to its end; whether the new rows are right, the hub says now or next time.
            let Ok(again) = self.exchange_all(self.rest_of(input, &report)?).await else { break };
            report.bytes_up += again.bytes_up;
            report.bytes_down += again.bytes_down;
            report.requests += again.requests;
            (report.waiting, report.is_done) = (again.waiting, again.is_done);
        }
        Ok(report)
    }

    /// What is left of a sync's bytes.
    fn rest_of(&self, input: SyncNow, report: &SyncReport) -> Result<SyncNow> {
        let budget: Option<u64> = facts::get(self.0.phone().connection(), name::BUDGET)?.flatten();
        let spent = report.bytes_up + report.bytes_down;
        Ok(SyncNow { max_bytes: input.max_bytes.or(budget).map(|all| all.saturating_sub(spent)) })
    }

    async fn exchange_all(&self, input: SyncNow) -> Result<SyncReport> {
        let mut talk = self.talk_with(input, None)?;
        let mut fruitless = 0;
        let mut stale = 0;
        let mut comparisons = 0;
        self.offer_digests(&mut talk, &mut comparisons)?;
        let left: Vec<ScopeId> = facts::get(self.0.phone().connection(), name::LEFT)?.unwrap_or_default();
        talk.session.ask_for(talk.unsent.writers_of(&left));
        talk.session.recall(self.phone_of(&talk)?.unplaced.clone());
        let mut first_waiting = None;
        while !talk.session.done() && !talk.session.spent() {
            let body = self.request(&mut talk)?;
            let waited = talk.unsent.waiting();
            first_waiting.get_or_insert(waited);
            match self.exchange(&mut talk, body, None).await? {
                Outcome::Ended => fruitless = 0,
                Outcome::Refused(Problem::StaleNonce) if stale == 0 => stale = 1,
                // An older hub than the one that said it would.
                Outcome::Refused(Problem::ProtocolTooNew) if talk.session.pack_frames(false) => {
                    facts::put(self.phone_of(&talk)?.connection(), name::PACKS, &false)?;
                }
                Outcome::Refused(problem) => return Err(self.refused(problem)?),
                Outcome::Wrong(error) => {
                    talk.session.cut();
                    return Err(AppError::offline(match error {
                        SessionError::Wire(WireError::Signature)
                        | SessionError::Frame(FrameError::Signature) => "hub_unknown",
                        SessionError::OtherHistory { .. } | SessionError::Hole { .. } => "other_history",
                        SessionError::Wire(_) | SessionError::Frame(_) => "not_a_hub",
                    }));
                }
                Outcome::Broken(broken) => {
                    talk.session.cut();
                    // Bytes alone are nothing, nor is what was heard before: a line that always breaks at the
                    // same place brings those for ever.
                    let is_further =
                        std::mem::take(&mut talk.brought.a_frame) || talk.unsent.waiting() < waited;
                    fruitless = if is_further { 0 } else { fruitless + 1 };
                    self.keep_pace(&mut talk)?;
                    if matches!(broken, Broken::NotReached) {
                        return Err(AppError::offline("hub_unreachable"));
                    }
                    if self.0.sync_stop.load(Ordering::Acquire) {
                        return Err(AppError::offline("stopped"));
                    }
                    if fruitless >= MAX_FRUITLESS_CUTS {
                        return Err(AppError::offline("cut"));
                    }
                }
            }
            self.keep_pace(&mut talk)?;
            if talk.session.done() {
                self.offer_digests(&mut talk, &mut comparisons)?;
            }
        }
        let mut phone = self.phone_of(&talk)?;
        let Talk { session, mut unsent, mut brought, .. } = talk;
        if !brought.elsewhere.is_empty() {
            // What could be sent was sent; what the hub would have to say of that scope did not come.
            return Err(AppError::offline("other_history"));
        }
        if session.is_too_small() && first_waiting.is_none_or(|first| unsent.waiting() == first) {
            return Err(AppError::offline("budget_too_small"));
        }
        let now = phone.now().ms;
        // What the hub did not say it does not know, and would not say next time.
        phone.unplaced = session.recalled().to_vec();
        if session.done() {
            brought.left.sort_unstable();
            brought.left.dedup();
            let known: Vec<ScopeId> = facts::get(phone.connection(), name::LEFT)?.unwrap_or_default();
            phone.softly(|phone| {
                let batch = phone.replica.begin()?;
                crate::damage::clear(batch.connection())?;
                if known != brought.left {
                    facts::put(batch.connection(), name::LEFT, &brought.left)?;
                }
                facts::put(batch.connection(), name::LAST_SYNC, &now)?;
                batch.commit()?;
                if known == brought.left { Ok(()) } else { phone.reload_scopes() }
            })?;
        }
        unsent.refresh(phone.connection(), &phone.replica.scopes()?)?;
        if session.done() {
            // A position that may be one of a history that is no more says nothing: the next sync asks for it.
            brought.left.retain(|scope| unsent.are_all_said(*scope));
            // What could not be forgotten now is forgotten after another sync; this one was good. Nothing of the outbox
            // is looked at by number after this.
            let _ = phone.settle(&brought.left).and_then(|()| phone.drop_left(&brought.left));
        }
        let progress = session.progress();
        Ok(SyncReport {
            bytes_up: progress.up,
            bytes_down: progress.down,
            requests: progress.requests,
            waiting: unsent.waiting() as u64,
            is_done: session.done(),
        })
    }

    /// Stops a running sync at the next byte; nothing is lost.
    ///
    /// # Errors
    /// None.
    pub fn stop_sync(&self, _: Nothing) -> Result<Nothing> {
        self.0.sync_stop.store(true, Ordering::Release);
        Ok(Nothing {})
    }

    /// Bounds the bytes of each sync; none takes the bound away.
    ///
    /// # Errors
    /// `InvalidInput` for `max_bytes` (`out_of_range`): too few for anything ever to get through.
    pub fn set_budget(&self, input: SyncNow) -> Result<Nothing> {
        if input.max_bytes.is_some_and(|bytes| bytes < LEAST_BUDGET) {
            return Err(AppError::invalid("max_bytes", "out_of_range"));
        }
        facts::put(self.0.phone().connection(), name::BUDGET, &input.max_bytes)?;
        Ok(Nothing {})
    }

    /// Where this phone's work is, by receipts alone.
    ///
    /// # Errors
    /// Those of storage.
    pub fn get_status(&self, _: Nothing) -> Result<SyncStatus> {
        let phone = self.0.phone();
        let connection = phone.connection();
        let unsent = phone.unsent()?;
        let marks: facts::Watermarks = facts::get(connection, name::WATERMARKS)?.unwrap_or_default();
        let (mut at_hub, mut in_backup) = (0, 0);
        for (number, scope) in phone.scope_numbers()? {
            let mark = marks.iter().find(|(of, _)| *of == scope).map_or(0, |(_, mark)| *mark as i64);
            let (all, under): (i64, i64) = connection.query_row(
                "SELECT coalesce(sum(last_seq - first_seq + 1), 0),
                        coalesce(sum(max(0, min(last_seq - first_seq + 1, ?2 - position + 1))), 0)
                 FROM receipts WHERE scope = ?1",
                (number, mark),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            at_hub += (all - under) as u64;
            in_backup += under as u64;
        }
        in_backup += leave::count_own(connection)?;
        let set_aside: i64 = connection.query_row(
            "SELECT count(*) FROM set_aside_notices WHERE reason <> ?1",
            [ENTERED_ANEW],
            |row| row.get(0),
        )?;
        Ok(SyncStatus {
            on_phone: unsent.waiting() as u64,
            at_hub,
            in_backup,
            last_success_at: facts::get(connection, name::LAST_SYNC)?,
            set_aside: set_aside as u64,
            void: receipts::count_void(connection)?,
            has_backup: marks.iter().any(|(_, mark)| *mark > 0),
        })
    }

    /// Has the rows of this phone compared in the next request, when that is due.
    fn offer_digests(&self, talk: &mut Talk, comparisons: &mut u32) -> Result<()> {
        if *comparisons == MAX_COMPARISONS {
            return Ok(());
        }
        let mut phone = self.phone_of(talk)?;
        talk.unsent.refresh(phone.connection(), &phone.replica.scopes()?)?;
        let due = phone.list_due_digests(&talk.unsent, &mut talk.turn)?;
        if !due.is_empty() {
            *comparisons += 1;
            talk.session.offer_digests(due);
        }
        Ok(())
    }

    fn request(&self, talk: &mut Talk) -> Result<Vec<u8>> {
        let phone = self.phone_of(talk)?;
        let Talk { session, unsent, .. } = talk;
        let connection = phone.connection();
        unsent.refresh(connection, &phone.replica.scopes()?)?;
        let carried = fall_back::to_offer(connection, phone.now().ms)?;
        // One look at the outbox, not one for each change.
        let reading = phone.reading()?;
        let body = session.request(&phone.key, &unsent.held(), unsent.pending(connection), carried);
        drop(reading);
        drop(phone);
        if !session.is_only_asking() {
            self.keep_pace(talk)?;
        }
        Ok(body)
    }

    /// Keeps what a kill from here on must not make forgotten.
    fn keep_pace(&self, talk: &mut Talk) -> Result<()> {
        let number = talk.session.pace().number();
        if number != talk.kept_pace {
            self.phone_of(talk)?
                .softly(|phone| facts::put(phone.connection(), name::REQUEST_SIZE, &number))?;
            talk.kept_pace = number;
        }
        Ok(())
    }

    fn take(&self, event: Event, talk: &mut Talk) -> Result<()> {
        let mut phone = self.phone_of(talk)?;
        let Talk { session, unsent, brought, .. } = talk;
        match &event {
            Event::News(news) => brought.left.extend(news.left.iter().map(|left| left.scope)),
            Event::Frame { .. } | Event::State { .. } => {
                brought.a_frame = true;
                (brought.changed.book, brought.changed.receipts) = (true, true);
            }
            Event::Receipts { .. } => brought.changed.receipts = true,
            Event::OtherHistory { scope } => {
                session.offer_marks(*scope, &phone.marks(*scope)?);
                brought.elsewhere.push(*scope);
            }
            Event::FellBack { scope, .. } => brought.elsewhere.retain(|of| of != scope),
            _ => {}
        }
        phone.take(event, unsent)?;
        let unplaced = unsent.take_unplaced();
        if !unplaced.is_empty() {
            session.resend(&unplaced);
        }
        Ok(())
    }

    fn refused(&self, problem: Problem) -> Result<AppError> {
        if problem == Problem::UnknownDevice {
            // A hub restored from before this phone was enrolled: it may come in again, even as a new row of its member.
            let phone = self.0.phone();
            facts::put(phone.connection(), name::IS_FORGOTTEN, &true)?;
        }
        Ok(match problem {
            Problem::Busy => AppError::offline("hub_busy"),
            Problem::ProtocolTooNew => AppError::offline("hub_outdated"),
            problem => AppError::not_allowed(problem.name()),
        })
    }

    /// One request and its reply. `repair`: the scope that is being fetched anew takes what comes of it.
    async fn exchange(
        &self,
        talk: &mut Talk,
        body: Vec<u8>,
        mut repair: Option<&mut Repair>,
    ) -> Result<Outcome> {
        let mut reply = match self.0.http.post(&talk.url, body).await {
            Ok(reply) => reply,
            Err(broken) => return Ok(Outcome::Broken(broken)),
        };
        loop {
            let chunk = match reply.chunk().await {
                Ok(Some(chunk)) if !self.0.sync_stop.load(Ordering::Acquire) => chunk,
                _ => return Ok(Outcome::Broken(Broken::Cut)),
            };
            talk.session.feed(&chunk);
            let progress = talk.session.progress();
            self.0.has_changed(Changed {
                sync: Some(SyncProgress {
                    is_running: true,
                    bytes_up: progress.up,
                    bytes_down: progress.down,
                    waiting: talk.unsent.waiting() as u64,
                }),
                ..std::mem::take(&mut talk.brought.changed)
            });
            loop {
                match talk.session.next_event() {
                    Ok(None) => break,
                    Ok(Some(Event::Refused(body))) => {
                        if let Some(nonce) = body.nonce {
                            // Also for the next session, should this one have no bytes left for another try.
                            let nonce = nonce.as_bytes();
                            self.phone_of(talk)?
                                .softly(|phone| facts::put(phone.connection(), name::NONCE, &nonce))?;
                        }
                        return Ok(Outcome::Refused(body.problem));
                    }
                    Ok(Some(event)) => {
                        let is_end = matches!(event, Event::End { .. });
                        let is_enough = match repair.as_deref_mut() {
                            Some(repair) => self.take_into(repair, event, talk)?,
                            None => self.take(event, talk).map(|()| false)?,
                        };
                        if is_enough {
                            return Ok(Outcome::Ended);
                        }
                        if is_end {
                            // Reads the transport's own end, so that the connection serves the next request.
                            let _ = reply.chunk().await;
                            return Ok(Outcome::Ended);
                        }
                    }
                    // Somebody on the way kept an older answer: as good as none.
                    Err(SessionError::Wire(WireError::OtherQuestion)) => {
                        return Ok(Outcome::Broken(Broken::Cut));
                    }
                    Err(error) => return Ok(Outcome::Wrong(error)),
                }
            }
            // The reply comes in pieces: what is still to come may be too much for this line.
            if repair.is_none() {
                self.keep_pace(talk)?;
            }
        }
    }
}

impl Phone {
    pub(crate) fn scope_numbers(&self) -> Result<Vec<(i64, ScopeId)>> {
        Ok(self.replica.scopes()?.iter().map(|state| (state.number, state.scope)).collect())
    }
}
