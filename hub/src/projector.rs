//! Keeps cells up to date: takes a scope that grew, brings its replica to the head, runs the indicators, puts cells.
//!
//! It works in rounds, a scope at a time, and rests before each for a multiple of what the last one took: under a
//! steady stream of frames it takes few long strides instead of many short ones. Scopes that another process wrote
//! are found by looking at heads, whenever the log has changed. A hub that stops, or a projector that fails, loses
//! nothing: what is behind is found again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use langso_domain::date::CivilDate;
use langso_domain::id::ScopeId;
use langso_domain::indicators::views;
use langso_domain::registry::ScopeKind;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::admin::AdminError;
use crate::cells;
use crate::log::{self, Projection};
use crate::replica;
use crate::server::{Hub, stopped};

/// Another meaning of cells is another number.
const CELLS_VERSION: &[u8] = b"cells v1";
/// The shortest rest between rounds, and by how much it is longer than the round before.
const REST: (Duration, u32) = (Duration::from_millis(200), 3);
/// How often heads are looked at; far less often when that takes long.
const LOOK: (Duration, u32) = (Duration::from_secs(2), 20);
/// The least time between two looks for a new day, on which states are counted anew and conflicts settled.
const NEW_DAY: Duration = Duration::from_secs(3_600);

impl Hub {
    /// Brings the cells of one scope up to its head, whether they are behind or not.
    ///
    /// # Errors
    /// [`replica::Error`].
    pub fn project(&self, scope: ScopeId) -> Result<(), replica::Error> {
        let kind = self.log.scope(scope)?.ok_or(log::Error::UnknownScope)?.kind;
        if kind == ScopeKind::Reference {
            return Ok(());
        }
        let indicators = self.indicators()?;
        let made_by = fingerprint(&indicators);
        let day = self.clock.now().date();
        let (cells, position) = self.replicas.with::<_, replica::Error>(scope, |replica, _| {
            let connection = replica.connection();
            // One state of the file for all figures and the position they are of.
            connection.execute_batch("BEGIN")?;
            let sql = "SELECT position FROM scopes WHERE scope = ?1";
            let position: i64 = connection.query_row(sql, [scope.0], |row| row.get(0))?;
            let cells = cells::compute(connection, kind, indicators.all(), day)?;
            connection.execute_batch("COMMIT")?;
            Ok((cells, position as u64))
        })?;
        let as_of = if position == 0 { None } else { self.log.received_at(scope, position)? };
        self.log.put_cells(scope, &cells, Projection { position, as_of, day, made_by })?;
        Ok(())
    }

    /// Makes a snapshot of a scope when enough is new since the last, of rows that have just been counted: damage here
    /// shall not travel.
    ///
    /// # Errors
    /// [`replica::Error`].
    pub fn keep_snapshot(&self, scope: ScopeId) -> Result<bool, replica::Error> {
        if !self.snapshots.is_due(scope)? {
            return Ok(false);
        }
        self.check_rows(scope)?;
        self.snapshots.make(&self.replicas, scope, false)
    }

    /// Brings all cells up to the heads; gives how many scopes were behind.
    ///
    /// # Errors
    /// [`replica::Error`].
    pub fn project_all(&self) -> Result<usize, replica::Error> {
        let behind = self.list_behind(true)?;
        behind.iter().try_for_each(|scope| self.project(*scope))?;
        Ok(behind.len())
    }

    /// Scopes whose cells are not of their head, of other indicators or, when asked, of another day.
    fn list_behind(&self, by_day: bool) -> Result<Vec<ScopeId>, replica::Error> {
        let (made_by, day) = (fingerprint(&self.indicators()?), self.clock.now().date());
        let mut behind = Vec::new();
        for scope in self.list_scopes()? {
            let Some(state) = self.log.scope(scope)? else { continue };
            let is_current = self.log.projection(scope)?.is_some_and(|of| {
                of.position >= state.head && of.made_by == made_by && (of.day == day || !by_day)
            });
            if !is_current {
                behind.push(scope);
            }
        }
        Ok(behind)
    }

    /// Every scope with rows to count.
    pub(crate) fn list_scopes(&self) -> Result<Vec<ScopeId>, replica::Error> {
        let teams = self.log.list_teams()?;
        let mut scopes: Vec<ScopeId> = teams.iter().flat_map(|team| [team.scope, team.training]).collect();
        scopes.extend(self.log.list_places()?.into_iter().map(|(_, scope)| scope));
        Ok(scopes)
    }
}

/// What cells are made by: views, indicators and how periods are cut.
fn fingerprint(indicators: &langso_domain::indicators::Indicators) -> [u8; 8] {
    let mut hash = Sha256::new().chain_update(CELLS_VERSION).chain_update(views());
    for indicator in indicators.all() {
        hash.update(serde_json::to_vec(indicator).unwrap_or_default());
    }
    let mut short = [0; 8];
    short.copy_from_slice(&hash.finalize()[..8]);
    short
}

/// Runs until the hub stops; ends between two scopes.
pub(crate) async fn run(hub: Arc<Hub>, stopping: watch::Receiver<bool>) {
    let mut looker = Looker::new();
    loop {
        let began = Instant::now();
        let (at_work, halt) = (hub.clone(), stopping.clone());
        let done = tokio::task::spawn_blocking(move || {
            let looked = looker.look(&at_work);
            if let Err(why) = looked {
                tracing::error!(%why, "the projector could not look for changes");
            }
            while !*halt.borrow()
                && let Some(scope) = at_work.dirty.take()
            {
                if let Err(why) = at_work.unite(scope) {
                    tracing::error!(%why, "what was joined could not be made one");
                }
                if let Err(why) = at_work.project(scope) {
                    tracing::error!(%why, "a scope could not be projected");
                    looker.seen = None;
                }
                if let Err(why) = at_work.keep_snapshot(scope) {
                    tracing::error!(%why, "a snapshot could not be made");
                }
            }
            looker
        });
        looker = match done.await {
            Ok(looker) => looker,
            // What one scope holds stops no other: everything is looked at anew.
            Err(_) => {
                tracing::error!("the projector panicked");
                Looker::new()
            }
        };
        let rest = REST.0.max(began.elapsed().saturating_mul(REST.1));
        tokio::select! {
            () = stopped(stopping.clone()) => return,
            _ = tokio::time::timeout(LOOK.0, hub.dirty.wait()) => {}
        }
        // After the bell, so that a push is taken in before it is counted.
        if tokio::time::timeout(rest, stopped(stopping.clone())).await.is_ok() {
            return;
        }
    }
}

/// Finds what other processes wrote.
struct Looker {
    /// The log's version when all was up to date or marked.
    seen: Option<i64>,
    /// For which day states were last looked at.
    day: Option<CivilDate>,
    next_look: Instant,
    next_day: Instant,
}

impl Looker {
    fn new() -> Self {
        Self { seen: None, day: None, next_look: Instant::now(), next_day: Instant::now() }
    }

    fn look(&mut self, hub: &Hub) -> Result<(), AdminError> {
        let began = Instant::now();
        if began < self.next_look {
            return Ok(());
        }
        let version = hub.log.version()?;
        let today = hub.clock.now().date();
        let is_new_day = began >= self.next_day && self.day != Some(today);
        if self.seen != Some(version) || is_new_day {
            if is_new_day {
                hub.settle_all()?;
                hub.check_some()?;
            }
            hub.list_behind(is_new_day)?.into_iter().for_each(|scope| hub.dirty.mark(scope));
            self.seen = Some(version);
            if is_new_day {
                (self.day, self.next_day) = (Some(today), began + NEW_DAY);
            }
        }
        self.next_look = Instant::now() + LOOK.0.max(began.elapsed().saturating_mul(LOOK.1));
        Ok(())
    }
}
