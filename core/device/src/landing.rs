//! A snapshot of the hub lands on this phone: each frame in one transaction, its rows beside own work that the hub does
//! not know yet.
//!
//! Rows show at once. The cursor moves with the last frame, and own changes that the snapshot holds turn out to be at
//! the hub: it tells no position of theirs, so they count as at the snapshot's, which is never too early for a backup.

use langso_sync::session::Receipt;
use langso_sync::state::StateFrame;

use crate::error::{AppError, Result};
use crate::facts::{self, name};
use crate::outbox::Unsent;
use crate::phone::Phone;
use crate::{fall_back, receipts};

impl Phone {
    pub(crate) fn take_state(&mut self, frame: &StateFrame, unsent: &mut Unsent) -> Result<()> {
        let (scope, of) = (frame.header.scope, frame.header.of);
        let now = self.now().ms.max(0) as u64;
        let mut clock = self.clock;
        let mut own = Vec::new();
        let mut batch = self.replica.begin()?;
        if frame.header.is_last() {
            let covered = batch.list_covered(frame, &unsent.without_position(scope))?;
            own.extend(covered.iter().map(|key| Receipt {
                writer: key.writer,
                first: key.seq,
                n: 1,
                position: of.position,
            }));
            let number = batch.find_scope(scope)?.ok_or_else(|| AppError::unexpected("scope"))?;
            receipts::put(batch.connection(), number, &own)?;
            fall_back::put_mark(batch.connection(), number, of)?;
        }
        batch.land(frame, |stamp| clock.adopt(now, stamp))?;
        facts::put(batch.connection(), name::LAST_STAMP, &clock.last().0)?;
        batch.commit()?;
        self.clock = clock;
        unsent.receive(&own);
        if frame.header.is_last() {
            unsent.pass(scope, of.position);
        }
        Ok(())
    }
}
