//! A snapshot of the hub lands on this phone: each frame in one transaction, its rows beside own work that the hub does
//! not know yet.
//!
//! Rows show at once. The cursor moves with the last frame, and with it the snapshot is the only proof of what the hub
//! holds below: own changes that it holds are at the hub, and those that it does not hold are not, whatever an earlier
//! reply said of them. It tells no positions, so what it holds counts as at the snapshot's, which is never too early for
//! a backup. What was carried and stands in it has come back.

use langso_sync::session::Receipt;
use langso_sync::state::StateFrame;

use crate::error::{AppError, Result};
use crate::facts::{self, name};
use crate::outbox::Unsent;
use crate::phone::Phone;
use crate::{fall_back, receipts};

impl Phone {
    pub(crate) fn take_state(&mut self, frame: &StateFrame, unsent: &mut Unsent) -> Result<()> {
        let (scope, of, device) = (frame.header.scope, frame.header.of, self.device);
        let now = self.now().ms.max(0) as u64;
        let mut clock = self.clock;
        let (mut own, mut lost) = (Vec::new(), Vec::new());
        let mut batch = self.replica.begin()?;
        if frame.header.is_last() {
            let doubtful = unsent.list_upto(scope, of.position);
            let keys: Vec<_> = doubtful.iter().map(|(key, _)| *key).collect();
            let covered = batch.list_covered(frame, &keys)?;
            own.extend(covered.iter().map(|key| Receipt {
                writer: key.writer,
                first: key.seq,
                n: 1,
                position: of.position,
            }));
            let had_one = doubtful.iter().filter(|(_, position)| position.is_some()).map(|(key, _)| *key);
            lost.extend(had_one.filter(|key| !covered.contains(key)));
            let number = batch.find_scope(scope)?.ok_or_else(|| AppError::unexpected("scope"))?;
            receipts::void(batch.connection(), number, &lost)?;
            receipts::put(batch.connection(), number, &own)?;
            // Own changes that left the outbox long ago may be without a receipt, or with a void one.
            for (writer, first, last) in batch.list_held_of(frame, device)? {
                receipts::fill(batch.connection(), number, (writer, first, last), of.position)?;
            }
            let carried = fall_back::list_carried(batch.connection(), number)?;
            let back = batch.list_covered(frame, &carried)?;
            fall_back::come_back_by(batch.connection(), number, of.position, &back)?;
            fall_back::put_mark(batch.connection(), number, of)?;
        }
        match batch.land(frame, |stamp| clock.adopt(now, stamp)) {
            // The hub made another snapshot of the same position: what is here of the first is of no use with it. This
            // sync is over, the next asks anew.
            Err(langso_store::Error::FrameOrder) => {
                drop(batch);
                let mut batch = self.replica.begin()?;
                batch.abandon_landing(scope)?;
                batch.commit()?;
                return Err(AppError::offline("cut"));
            }
            landed => landed?,
        };
        facts::put(batch.connection(), name::LAST_STAMP, &clock.last().0)?;
        batch.commit()?;
        self.clock = clock;
        unsent.unplace(&lost);
        unsent.receive(&own);
        if frame.header.is_last() {
            unsent.pass(scope, of.position);
        }
        Ok(())
    }
}
