//! What long lists show, kept between their pages: the households in walking order with their lines, and the visits
//! newest first. Read in one pass over each table when a list is opened, and again after anything has changed.
//!
//! In memory and not by more indexes in the file: an index for each list would cost every save a tenth and a first sync
//! a fifth, for pages that are read a few times a day.

use std::cell::RefMut;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, VisitId};

use super::households::{HouseholdLine, lines_of_all};
use super::{rows, walk};
use crate::error::Result;
use crate::phone::Phone;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    as_of: Option<AsOf>,
    households: Option<Arc<WalkedLines>>,
    visits: Option<Arc<[VisitId]>>,
}

/// Another one when the database may say something else, or the day is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AsOf {
    changes: u64,
    heard: u64,
    today: CivilDate,
}

/// All lines, in walking order.
#[derive(Debug)]
pub(super) struct WalkedLines {
    lines: Vec<HouseholdLine>,
    /// Each hamlet and a household there, in that order; a household that was joined has one for each of its rows.
    rows: Vec<(Option<HamletId>, usize)>,
}

impl WalkedLines {
    fn read(phone: &Phone) -> Result<Self> {
        let known = phone.known()?;
        let walk = walk::households(phone.connection(), &known)?;
        let mut seen = HashSet::with_capacity(walk.len());
        let order: Vec<_> = walk.iter().map(|(id, _)| *id).filter(|id| seen.insert(*id)).collect();
        let lines = lines_of_all(phone, &known, &order)?;
        let at: HashMap<_, _> = lines.iter().enumerate().map(|(at, line)| (line.household, at)).collect();
        let rows = walk.iter().filter_map(|(id, hamlet)| Some((*hamlet, *at.get(id)?))).collect();
        Ok(Self { lines, rows })
    }

    /// A page, and how many there are on all.
    pub fn page(&self, hamlet: Option<HamletId>, skip: usize) -> (Vec<HouseholdLine>, usize) {
        if hamlet.is_none() {
            let page = self.lines.iter().skip(skip).take(rows::PAGE);
            return (page.cloned().collect(), self.lines.len());
        }
        let mut seen = HashSet::new();
        let here: Vec<usize> = self
            .rows
            .iter()
            .filter(|(of, at)| *of == hamlet && seen.insert(*at))
            .map(|(_, at)| *at)
            .collect();
        let page = here.iter().skip(skip).take(rows::PAGE);
        (page.map(|at| self.lines[*at].clone()).collect(), here.len())
    }
}

impl Phone {
    /// The households as of now.
    pub(super) fn listed_households(&self) -> Result<Arc<WalkedLines>> {
        if let Some(held) = self.lists().households.clone() {
            return Ok(held);
        }
        let as_of = self.as_of();
        let read = Arc::new(WalkedLines::read(self)?);
        // A day that has ended meanwhile is not held for the next.
        if self.as_of() == as_of {
            self.lists().households = Some(read.clone());
        }
        Ok(read)
    }

    /// The visits as of now, newest first.
    pub(super) fn newest_visits(&self) -> Result<Arc<[VisitId]>> {
        if let Some(held) = self.lists().visits.clone() {
            return Ok(held);
        }
        let sql = "SELECT id FROM live_visits ORDER BY date DESC, v_stamp DESC, id DESC";
        let all = rows::all(self.connection(), sql, [], |row| rows::id(row, 0).map(VisitId))?;
        let read: Arc<[VisitId]> = all.into();
        self.lists().visits = Some(read.clone());
        Ok(read)
    }

    fn as_of(&self) -> AsOf {
        AsOf { changes: self.connection().total_changes(), heard: self.heard, today: self.today() }
    }

    fn lists(&self) -> RefMut<'_, Lists> {
        let as_of = self.as_of();
        let mut held = self.lists.borrow_mut();
        if held.as_of != Some(as_of) {
            *held = Lists { as_of: Some(as_of), ..Lists::default() };
        }
        held
    }
}
