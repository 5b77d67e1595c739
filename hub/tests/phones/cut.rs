//! A connection that breaks at every byte of a request and of its reply.

use std::collections::BTreeSet;
use std::sync::Arc;

use langso_domain::id::Key;
use langso_domain::registry::Role;

use crate::field::link::Break;
use crate::field::{Field, Handset, Team, said};

/// Teams that try it side by side, each its share of the bytes.
const LANES: usize = 6;

/// Two phones of a team of their own.
struct Lane {
    team: Team,
    sends: Handset,
    other: Handset,
    /// Changes of this phone for which it has held a receipt.
    acknowledged: BTreeSet<Key>,
}

impl Lane {
    async fn new(field: &Field, number: usize) -> Self {
        let team = field.found(&format!("Tổ {number}"));
        let mut sends = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
        let mut other = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
        sends.sync().await.unwrap();
        other.sync().await.unwrap();
        sends.link.watch(sends.file());
        Self { team, sends, other, acknowledged: BTreeSet::new() }
    }

    /// One sync over a line that breaks there; false when it is over before that.
    async fn try_at(&mut self, at: Break) -> bool {
        // Something goes up and something comes down.
        self.other.household("Hộ kia");
        self.other.sync().await.unwrap();
        self.sends.household("Hộ này");
        self.sends.visit(&self.team);
        self.sends.link.break_at(at);
        let mut tries = 0;
        while self.sends.sync().await.is_err() {
            tries += 1;
            assert!(tries < 10, "{at:?}: one break, and no sync comes to its end");
        }
        let broke = self.sends.link.breaks() > 0;
        self.sends.link.break_at(Break::Never);
        for exchange in self.sends.link.take_exchanges() {
            for (_, key) in exchange.carried() {
                assert!(!exchange.known.contains(&key), "{at:?}: {key:?} went up after its receipt was here");
            }
            assert!(self.acknowledged.is_subset(&exchange.known), "{at:?}: a receipt was forgotten");
            self.acknowledged = exchange.known;
        }
        let status = self.sends.app().sync().get_status(Default::default()).unwrap();
        assert_eq!(status.on_phone, 0, "{at:?}: something still waits");
        broke
    }
}

async fn break_everywhere(name: &str, break_after: fn(usize) -> Break) {
    let field = Arc::new(Field::start().await);
    let mut lanes = Vec::new();
    for number in 0..LANES {
        let field = field.clone();
        lanes.push(tokio::spawn(async move {
            let mut lane = Lane::new(&field, number).await;
            let (mut at, mut cases) = (number, 0);
            while lane.try_at(break_after(at)).await {
                at += LANES;
                cases += 1;
            }
            assert!(at > 300, "the line broke at {at} bytes only");
            for scope in [lane.team.scope, lane.team.training] {
                let written = lane.sends.written();
                field.holds_once(scope, written.iter().filter(|one| one.0 == scope).map(|one| &one.1));
            }
            lane.other.sync().await.unwrap();
            assert!(lane.sends.rows() == lane.other.rows(), "the phones of a team differ");
            cases
        }));
    }
    let mut cases = 0;
    for lane in lanes {
        cases += lane.await.unwrap();
    }
    said(name, cases);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_cut_at_any_byte_loses_nothing_and_repeats_nothing_acknowledged() {
    break_everywhere("line-cut-request", Break::Up).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_cut_at_any_byte_loses_nothing_and_repeats_nothing_acknowledged() {
    break_everywhere("line-cut-reply", Break::Down).await;
}
