//! Changes that a damaged or strange phone could sign, against a real hub: each is kept, set aside or refused, none is
//! an error, the numbers stay without a gap, and rows, cells and settling go on with what was kept.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../../core/sync/tests/fuzz/mill.rs"]
mod mill;
mod support;

use langso_domain::registry::{CURRENT, Role};
use langso_hub::intake::Taken;
use langso_hub::server::Hub;
use langso_sync::frame::FrameBuilder;
use mill::Fuzz;
use support::{Hands, Phone, TEAM_SCOPE, enrol, seeded};

#[test]
fn whatever_a_phone_signs_is_kept_set_aside_or_refused_and_stops_nothing() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = Hub::open(folder.path(), hands.clock()).unwrap();
    seeded(&hub.log, &hub.keys.signing);
    let phone = Phone::new(1);
    enrol(&hub.log, &hub.keys.signing, &phone, Role::Lead);
    let (mut head, mut looked) = (0, 0);
    let fuzz = Fuzz { name: "intake", cases: 1_500, pieces: mill::CBOR, bound: 256 << 20 };
    mill::run(&fuzz, |bytes| {
        let mut builder = FrameBuilder::new(TEAM_SCOPE, CURRENT.schema, usize::MAX);
        if builder.push(bytes).is_err() {
            return false;
        }
        let Some(frame) = builder.build(&phone.key) else { return false };
        let kept = match hub.intake.take(&frame, hub.clock.now()).unwrap() {
            Taken::Kept(_, told) => told.accepted > 0,
            Taken::Refused(_) => false,
        };
        if kept {
            head += 1;
            assert_eq!(hub.log.scope(TEAM_SCOPE).unwrap().unwrap().head, head);
        }
        looked += 1;
        if looked % 100 == 0 {
            hub.project(TEAM_SCOPE).unwrap();
            assert_eq!(hub.log.projection(TEAM_SCOPE).unwrap().unwrap().position, head);
            hub.settle(TEAM_SCOPE).unwrap();
            let after = hub.log.scope(TEAM_SCOPE).unwrap().unwrap().head;
            assert!(after >= head);
            head = after;
        }
        kept
    });
}
