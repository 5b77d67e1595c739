//! Two versions that nobody settled: after sixty days the hub does, and no clock alone makes it.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, Key, RowId, ScopeId, Writer};
use langso_domain::registry::Role;
use langso_hub::clock::DAY_MS;
use langso_hub::server::Hub;
use langso_sync::change::{Base, Change, Name, Patch, RowOp};
use langso_sync::clock::Stamp;
use langso_sync::value::Value;
use support::{Hands, NOW, Phone, TEAM_SCOPE, enrol, seeded, table};

struct Site {
    _folder: tempfile::TempDir,
    hands: Hands,
    hub: Hub,
    phones: [Phone; 2],
    next: u32,
}

impl Site {
    fn new() -> Self {
        let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
        let hub = Hub::open(folder.path(), hands.clock()).unwrap();
        seeded(&hub.log, &hub.keys.signing);
        let phones = [Phone::new(1), Phone::new(2)];
        phones.iter().for_each(|phone| enrol(&hub.log, &hub.keys.signing, phone, Role::Member));
        Self { _folder: folder, hands, hub, phones, next: 0 }
    }

    /// A phone writes a row, or patches one that it saw as it was made, at a moment by its clock.
    fn writes(&mut self, phone: usize, at_ms: i64, target: Option<RowId>, field: u8, value: Value) -> Key {
        let (key, frame) = self.frame(phone, at_ms, target, field, value);
        self.hub.intake.take(&frame, self.hub.clock.now()).unwrap();
        key
    }

    fn frame(
        &mut self,
        phone: usize,
        at_ms: i64,
        target: Option<RowId>,
        field: u8,
        value: Value,
    ) -> (Key, Vec<u8>) {
        self.next += 1;
        let key = Key { writer: Writer(0x100 + phone as u64), seq: self.next };
        let patch = target.map(|target| Patch { target, base: Base::Same(vec![Name::Create]) });
        let row = RowOp { table: table("household"), fields: BTreeMap::from([(field, value)]), patch };
        let stamp = Stamp::at_ms(at_ms.unsigned_abs());
        let change = Change { key, stamp, rows: vec![row], extras: BTreeMap::new() };
        (key, self.phones[phone].frame(TEAM_SCOPE, &[change]))
    }

    /// Two phones rename one household without seeing each other.
    fn conflict(&mut self) -> RowId {
        let row = self.writes(0, NOW.0, None, 1, text("Hộ 12")).row(0);
        self.writes(0, NOW.0 + 1_000, Some(row), 1, text("Hộ ông Sáu"));
        self.writes(1, NOW.0 + 2_000, Some(row), 1, text("Hộ cạnh trường"));
        row
    }

    fn state(&self) -> (String, i64) {
        let sql =
            "SELECT (SELECT label FROM households ORDER BY v_stamp LIMIT 1), (SELECT count(*) FROM shelf)";
        self.hub
            .replicas
            .with::<_, langso_hub::replica::Error>(TEAM_SCOPE, |replica, _| {
                Ok(replica.connection().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
            })
            .unwrap()
    }

    fn settle(&self) -> usize {
        self.hub.settle(TEAM_SCOPE).unwrap()
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn author_of_head(hub: &Hub, scope: ScopeId) -> DeviceId {
    let head = hub.log.scope(scope).unwrap().unwrap().head;
    hub.log.changes_after(scope, head - 1, 1, usize::MAX).unwrap()[0].device
}

#[test]
fn after_sixty_days_the_hub_settles_for_the_value_that_shows() {
    let mut site = Site::new();
    site.conflict();
    assert_eq!((site.settle(), site.state()), (0, ("Hộ cạnh trường".into(), 1)));
    site.hands.forward(61 * DAY_MS);
    site.writes(0, NOW.0 + 61 * DAY_MS, None, 1, text("Hộ 13"));
    assert_eq!((site.settle(), site.state()), (1, ("Hộ cạnh trường".into(), 0)));
    assert_eq!(author_of_head(&site.hub, TEAM_SCOPE), site.hub.keys.id(), "visibly by the hub");
    assert_eq!(site.settle(), 0);
}

#[test]
fn an_edit_after_removal_is_settled_as_removed() {
    let mut site = Site::new();
    let row = site.writes(0, NOW.0, None, 1, text("Hộ 12")).row(0);
    site.writes(0, NOW.0 + 1_000, Some(row), 0, Value::Bool(true));
    site.writes(1, NOW.0 + 2_000, Some(row), 1, text("Hộ cạnh trường"));
    assert_eq!(site.state().1, 1);
    site.hands.forward(61 * DAY_MS);
    site.writes(0, NOW.0 + 61 * DAY_MS, None, 1, text("Hộ 13"));
    assert_eq!((site.settle(), site.state().1), (1, 0));
}

#[test]
fn a_clock_that_jumped_settles_nothing() {
    let mut site = Site::new();
    site.conflict();
    // The hub's clock is a year ahead: no phone says so.
    site.hands.forward(365 * DAY_MS);
    site.writes(0, NOW.0 + DAY_MS, None, 1, text("Hộ 13"));
    assert_eq!((site.settle(), site.state().1), (0, 1));
    site.hands.forward(-365 * DAY_MS);
    // A phone's clock is a year ahead: the hub has not held it for long.
    site.writes(1, NOW.0 + 365 * DAY_MS, None, 1, text("Hộ 14"));
    assert_eq!((site.settle(), site.state().1), (0, 1));
}

#[test]
fn a_version_that_came_late_waits_its_own_sixty_days() {
    let mut site = Site::new();
    let row = site.writes(0, NOW.0, None, 1, text("Hộ 12")).row(0);
    site.writes(0, NOW.0 + 1_000, Some(row), 1, text("Hộ ông Sáu"));
    site.hands.forward(61 * DAY_MS);
    site.writes(0, NOW.0 + 61 * DAY_MS, None, 1, text("Hộ 13"));
    site.writes(1, NOW.0 + 2_000, Some(row), 1, text("Hộ cạnh trường"));
    assert_eq!((site.settle(), site.state().1), (0, 1));
    site.hands.forward(60 * DAY_MS);
    assert_eq!((site.settle(), site.state().1), (1, 0));
}

#[test]
fn what_is_due_is_settled_though_more_that_is_not_stands_before_it() {
    let mut site = Site::new();
    // The shelf is in order of rows, and rows of the first phone's writer stand before those of the second's.
    let row = site.writes(1, NOW.0, None, 1, text("Hộ 12")).row(0);
    site.writes(0, NOW.0 + 1_000, Some(row), 1, text("Hộ ông Sáu"));
    site.writes(1, NOW.0 + 2_000, Some(row), 1, text("Hộ cạnh trường"));
    site.hands.forward(61 * DAY_MS);
    let late = NOW.0 + 61 * DAY_MS;
    let mut frames = Vec::new();
    for _ in 0..501 {
        let (made, frame) = site.frame(0, late, None, 1, text("Hộ 13"));
        frames.push(frame);
        frames.push(site.frame(0, late + 1_000, Some(made.row(0)), 1, text("Hộ bà Tư")).1);
        frames.push(site.frame(1, late + 2_000, Some(made.row(0)), 1, text("Hộ sau chợ")).1);
    }
    site.hub.intake.take_all(&frames, site.hub.clock.now()).unwrap();
    assert_eq!(site.state().1, 502);
    assert_eq!((site.settle(), site.state().1), (1, 501));
}
