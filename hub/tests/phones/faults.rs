//! What bad proxies do to requests and replies, one fault after another by a seed, between a real phone and a real hub.
//! After each round: everything written is at the hub once, the phones of the team hold the same, and nothing went up
//! that had its receipt on the phone.

use std::collections::BTreeMap;

use langso_device::AppError;
use langso_domain::id::{HouseholdId, Key};
use langso_domain::registry::Role;

use super::conflict::set_hint;
use crate::field::rough::{Fault, Rough};
use crate::field::{Field, Handset, Link, Team};
use crate::mill::{self, Dice};

/// Its name in the table of what was tried, and how it is made of a number.
type Kind = (&'static str, fn(usize) -> Fault);

const KINDS: [Kind; 16] = [
    ("request-twice", |_| Fault::RequestTwice),
    ("request-retried", |_| Fault::Retried),
    ("request-overtaken", |_| Fault::Overtaken),
    ("old-request", |_| Fault::OldRequest),
    ("old-reply", |_| Fault::OldReply),
    ("reply-swapped", |_| Fault::ReplySwapped),
    ("portal", |_| Fault::Portal),
    ("portal-behind", |_| Fault::PortalBehind),
    ("bytes-twice-up", Fault::BytesTwiceUp),
    ("bytes-twice-down", Fault::BytesTwiceDown),
    ("flip-up", Fault::FlipUp),
    ("flip-down", Fault::FlipDown),
    ("cut-up", Fault::CutUp),
    ("cut-down", Fault::CutDown),
    ("byte-by-byte", |_| Fault::ByteByByte),
    ("delayed", |_| Fault::Delayed),
];

struct Pair {
    field: Field,
    team: Team,
    rough: Rough,
    phone: Handset,
    other: Handset,
    homes: Vec<HouseholdId>,
}

impl Pair {
    async fn new() -> Self {
        let field = Field::start().await;
        let team = field.found("Tổ thôn Ngàn Chi");
        let rough = Rough::to(field.running.addr).await;
        let link = Link::to(rough.addr()).await;
        let phone = Handset::new(&field.world, link);
        let mut phone = field.enrol(phone, &team, "Chíu Sám Múi", Role::Member).await;
        let mut other = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
        let homes = vec![other.household("Hộ 12"), other.household("Hộ 13")];
        for phone in [&mut other, &mut phone] {
            phone.sync().await.unwrap();
        }
        rough.watch(phone.file());
        Self { field, team, rough, phone, other, homes }
    }

    /// Work on both phones, and one sync with a fault in one of its exchanges.
    async fn round(&mut self, case: usize, fault: Fault, dice: &mut Dice) {
        self.other.household("Hộ kia");
        set_hint(&mut self.other, self.homes[case % 2], &format!("cạnh trường {case}"));
        self.other.sync().await.unwrap();
        self.homes.push(self.phone.household("Hộ này"));
        if dice.below(3) == 0 {
            self.phone.visit(&self.team);
        }
        if dice.below(4) == 0 {
            self.phone.close();
        }
        let own = dice.below(self.homes.len() as u64) as usize;
        set_hint(&mut self.phone, self.homes[own], &format!("cạnh suối {case}"));
        self.field.world.pass(60_000);
        self.rough.next(fault);
        let result = if fault == Fault::Delayed {
            let go_on = async {
                self.rough.delayed().await;
                self.other.household("Hộ đến giữa chừng");
                self.other.sync().await.unwrap();
                self.rough.go_on();
            };
            tokio::join!(self.phone.sync(), go_on).0
        } else {
            self.phone.sync().await
        };
        assert!(self.rough.is_past(), "{fault:?} did not come to pass");
        if let Err(error) = result {
            // Said, and by its right name: no fault of the line is one of the phone's file.
            assert!(
                matches!(error, AppError::Offline { .. } | AppError::NotAllowed { .. }),
                "{fault:?}: {error:?}"
            );
        }
    }

    /// A good line: everything arrives and everybody has it.
    async fn heal(&mut self, what: &str) {
        self.phone.sync().await.unwrap();
        self.phone.sync().await.unwrap();
        self.other.sync().await.unwrap();
        for exchange in self.rough.take_exchanges() {
            for (_, key) in exchange.carried() {
                assert!(!exchange.known.contains(&key), "{what}: {key:?} went up after its receipt was here");
            }
        }
        let written = self.phone.written();
        for scope in [self.team.scope, self.team.training] {
            let keys = self.field.keys(scope);
            let is_there = |key: &Key| keys.iter().filter(|of| *of == key).count() == 1;
            let own = written.iter().filter(|one| one.0 == scope).map(|one| &one.1);
            let missing: Vec<_> = own.filter(|key| !is_there(key)).collect();
            assert!(missing.is_empty(), "{what}: {missing:?} not at the hub, or twice");
        }
        let status = self.phone.app().sync().get_status(Default::default()).unwrap();
        assert_eq!((status.on_phone, status.set_aside), (0, 0), "{what}");
        assert!(self.phone.rows() == self.other.rows(), "{what}: the phones of a team differ");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_proxy_does_nothing_is_lost_nothing_is_twice_and_nothing_acknowledged_goes_again() {
    let seed = mill::seed();
    let mut dice = Dice::new(seed);
    let rounds = if mill::is_long() { 60 } else { 4 };
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    let mut pair = Pair::new().await;
    for round in 0..rounds {
        if round % 20 == 19 {
            pair = Pair::new().await;
        }
        // Each kind alone, then several before the line is good again.
        let alone = round % 2 == 0;
        let mut order: Vec<_> = KINDS.iter().collect();
        for at in (1..order.len()).rev() {
            order.swap(at, dice.below(at as u64 + 1) as usize);
        }
        for (at, (name, kind)) in order.into_iter().enumerate() {
            let fault = kind(dice.next() as usize % 10_000);
            pair.round(round * KINDS.len() + at, fault, &mut dice).await;
            *tried.entry(name).or_default() += 1;
            if alone || at % 4 == 3 {
                pair.heal(&format!("seed {seed}, round {round}, {fault:?}")).await;
            }
        }
    }
    for (name, cases) in tried {
        println!("resilience: line-{name} cases={cases} lost=0 seed={seed}");
    }
}
