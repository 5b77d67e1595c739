//! SIGKILL of a phone's process in a sync, at any call that would change its database: while it forgets what the backup
//! holds, falls back to a mark that the hub still knows, or lets go of a team that it has left.
//!
//! The app that is killed is this program itself, started once more with the folder of a phone. All cases run with
//! `LANGSO_LONG=1`, and every few of them without.

#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod field;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use field::ledger::Ledger;
use field::time::{START, World};
use field::{Field, Handset, Team, said};
use langso_device::Companion;
use langso_device::companion::{Nothing, SyncNow};
use langso_domain::id::ScopeId;
use langso_domain::registry::Role;
use langso_faults::{Disk, Fault};
use langso_hub::admin::NewHamlet;
use langso_hub::clock::DAY_MS;
use serde_json::json;
use tokio::sync::Mutex;

/// Set in the process that is killed: where its phone is, at which call it ends, and what time it is.
const FOLDER: &str = "LANGSO_SYNCS_IN";
const CALL: &str = "LANGSO_ENDS_AT_CALL";
const NOW: &str = "LANGSO_NOW";

/// One test at a time: a process being started holds, until it runs, whatever files its parent has open, and so the locks
/// of folders that another test has just closed.
static TURN: Mutex<()> = Mutex::const_new(());

/// In the process that is killed: the sync in whose midst that happens. False in any other.
async fn is_killed() -> bool {
    let Ok(folder) = std::env::var(FOLDER) else { return false };
    let of = |name| std::env::var(name).unwrap();
    let world = World::new();
    world.pass(of(NOW).parse::<i64>().unwrap() - START);
    let disk = Disk::under(Path::new(&folder));
    disk.fail_at(of(CALL).parse().unwrap(), Fault::Kill);
    let app = Companion::open(Path::new(&folder), world.phone()).unwrap();
    app.sync().sync_now(SyncNow::default()).await.unwrap();
    true
}

/// The calls at which processes are killed, one after another, until one meets its end before that.
struct Kills {
    call: usize,
    step: usize,
    cases: usize,
    is_over: bool,
}

impl Kills {
    fn new(short: usize) -> Self {
        let is_long = std::env::var_os("LANGSO_LONG").is_some_and(|long| long == "1");
        Self { call: 1, step: if is_long { 1 } else { short }, cases: 0, is_over: false }
    }

    /// A process opens this phone, syncs, and is killed at the next call; says which.
    async fn kill(&mut self, field: &Field, phone: &mut Handset) -> String {
        phone.close();
        let mut app = Command::new(std::env::current_exe().unwrap());
        app.args(["--exact", std::thread::current().name().unwrap()])
            .env(FOLDER, phone.path())
            .env(CALL, self.call.to_string())
            .env(NOW, field.world.now().to_string());
        let ended = tokio::task::spawn_blocking(move || app.output()).await.unwrap().unwrap();
        let what = format!("killed at call {}", self.call);
        if ended.status.signal() == Some(9) {
            self.cases += 1;
            self.call += self.step;
        } else {
            assert!(ended.status.success(), "{what}: {}", String::from_utf8_lossy(&ended.stdout));
            self.is_over = true;
        }
        what
    }

    /// At the end: what was tried.
    fn said(self, name: &str) {
        assert!(self.cases > 5, "{name}: killed {} times only", self.cases);
        said(name, self.cases);
    }
}

/// Own changes: at the hub or in its backup, and those that are not.
fn own(phone: &mut Handset) -> (u64, u64) {
    let status = phone.app().sync().get_status(Nothing {}).unwrap();
    (status.at_hub + status.in_backup, status.on_phone + status.set_aside)
}

/// A member who has sent work, and the lead, whose work the member has.
async fn pair(field: &Field, team: &Team, ledger: &mut Ledger) -> (Handset, Handset) {
    let mut member = field.phone(team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(team, "Tằng Dảu Sồi", Role::Lead).await;
    for phone in [&mut lead, &mut member] {
        phone.sync().await.unwrap();
    }
    for _ in 0..2 {
        for phone in [&mut lead, &mut member] {
            phone.household("Hộ 12");
            phone.visit(team);
            phone.sync().await.unwrap();
            ledger.note(phone);
        }
    }
    (member, lead)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_killed_at_any_call_while_it_forgets_what_is_in_the_backup_loses_nothing_else() {
    if is_killed().await {
        return;
    }
    let _turn = TURN.lock().await;
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let (mut template, _lead) = pair(&field, &team, &mut ledger).await;
    field.back_up();
    template.sync().await.unwrap();
    field.world.pass(8 * DAY_MS);
    template.close();
    let forgotten = template.written_keys();
    let mut counted = forgotten.len() as u64;
    let mut kills = Kills::new(5);
    while !kills.is_over {
        let mut phone = template.copy();
        phone.visit(&team);
        ledger.note(&phone);
        let what = kills.kill(&field, &mut phone).await;
        phone.household("Hộ sau khi mở lại");
        ledger.note(&phone);
        phone.sync().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let left = phone.written_keys();
        assert!(!forgotten.iter().any(|key| left.contains(key)), "{what}: not forgotten");
        assert_eq!(left.len(), 3, "{what}");
        ledger.is_whole(&field, &team, &mut [&mut phone]);
        // All that this device ever wrote, in the cases before this one too.
        counted += 3;
        assert_eq!(own(&mut phone), (counted, 0), "{what}");
    }
    kills.said("kill_prune");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_killed_at_any_call_of_a_fall_back_brings_the_hub_all_it_had_of_its_own_and_of_others() {
    if is_killed().await {
        return;
    }
    let _turn = TURN.lock().await;
    let mut field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let (mut template, mut lead) = pair(&field, &team, &mut Ledger::default()).await;
    let copy = field.copy();
    for _ in 0..2 {
        lead.visit(&team);
        lead.sync().await.unwrap();
        template.visit(&team);
        template.sync().await.unwrap();
    }
    template.close();
    let mut kills = Kills::new(7);
    while !kills.is_over {
        // The hub goes on from an older copy, and another history grows over the one that the phone knows.
        field = field.roll_back(&copy).await;
        field.reach(&[&template]);
        let unit = langso_domain::units::UnitCode::parse(field::UNIT).unwrap();
        let name = "Bản Sú Cáu".to_owned();
        let hamlet = NewHamlet { name, unit, language: None, signal: None, household_total: None };
        field.hub().add_hamlet(team.id, &hamlet).unwrap();
        let mut phone = template.copy();
        phone.visit(&team);
        let mut ledger = Ledger::default();
        ledger.note(&phone);
        ledger.note(&lead);
        let there = field.keys(team.scope);
        assert!(ledger.keys(team.scope).iter().any(|key| !there.contains(key)), "{} are there", there.len());
        let what = kills.kill(&field, &mut phone).await;
        phone.household("Hộ sau khi mở lại");
        ledger.note(&phone);
        phone.sync().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        ledger.is_whole(&field, &team, &mut [&mut phone]);
        assert_eq!(own(&mut phone).1, 0, "{what}");
    }
    kills.said("kill_fall_back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_killed_at_any_call_while_it_lets_go_of_a_team_is_as_one_that_never_was_in_it() {
    if is_killed().await {
        return;
    }
    let _turn = TURN.lock().await;
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let mut template = field.phone(&one, "Chíu Sám Múi", Role::Member).await;
    let members = field.hub().list_members(one.id).unwrap();
    let member = members.into_iter().find(|member| member.name == "Chíu Sám Múi").unwrap().id;
    let today = field.hub().clock.now().date();
    let second = field.hub().join_second_team((one.id, member), two.id, Role::Member, today).unwrap();
    let mut lead = field.phone(&two, "Hoàng Thị Đượm", Role::Lead).await;
    lead.sync().await.unwrap();
    let theirs = lead.household("Hộ 21");
    lead.sync().await.unwrap();
    template.sync().await.unwrap();
    template.household("Hộ 11");
    let edit = json!({"household": theirs, "hint": "sau chợ"});
    template.app().call("households.update_household", edit).unwrap();
    template.sync().await.unwrap();
    let mut ledger = Ledger::default();
    ledger.note(&template);
    field.hub().end_membership(two.id, second, today).unwrap();
    field.back_up();
    template.sync().await.unwrap();
    field.world.pass(7 * DAY_MS);
    let counted = own(&mut template);
    template.close();
    let is_here = |phone: &Handset, scope: ScopeId| {
        let sql = "SELECT count(*) FROM scopes WHERE scope = ?1";
        phone.read().query_row(sql, [scope.0], |row| row.get::<_, i64>(0)).unwrap() > 0
    };
    assert!(is_here(&template, two.scope));
    let mut fresh = field.phone(&one, "Tằng Văn Nồng", Role::Member).await;
    fresh.sync().await.unwrap();
    let rows = fresh.rows();
    template.link.take_exchanges();
    let mut kills = Kills::new(3);
    while !kills.is_over {
        let mut phone = template.copy();
        let what = kills.kill(&field, &mut phone).await;
        assert_eq!(own(&mut phone), counted, "{what}: what was counted still counts");
        phone.sync().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(!is_here(&phone, two.scope) && !is_here(&phone, two.training), "{what}: still here");
        assert!(phone.rows() == rows, "{what}: rows differ");
        assert_eq!(own(&mut phone), counted, "{what}");
        for exchange in phone.link.take_exchanges() {
            assert!(exchange.carried().is_empty(), "{what}: sent again");
        }
        ledger.is_whole(&field, &one, &mut [&mut phone]);
        field.holds_once(two.scope, &ledger.keys(two.scope));
    }
    kills.said("kill_leave");
}
