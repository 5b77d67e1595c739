//! A phone lets go of a team that it has left, once nothing of it is the phone's to keep, and not a moment before.

use langso_device::companion::Nothing;
use langso_device::{AppError, journal};
use langso_domain::id::{HouseholdId, MemberId, ScopeId};
use langso_domain::registry::Role;
use langso_hub::clock::DAY_MS;
use langso_hub::waiting::Verdict;
use langso_sync::history::NOTE_EVERY_MS;
use rusqlite::OptionalExtension;
use serde_json::json;

use crate::field::handset::rows_of;
use crate::field::{Field, Handset, Team};

fn member_of(field: &Field, team: &Team, name: &str) -> MemberId {
    let members = field.hub().list_members(team.id).unwrap();
    members.into_iter().find(|member| member.name == name).unwrap().id
}

fn end(field: &Field, team: &Team, member: MemberId) {
    field.hub().end_membership(team.id, member, field.hub().clock.now().date()).unwrap();
}

fn is_here(phone: &Handset, scope: ScopeId) -> bool {
    let sql = "SELECT 1 FROM scopes WHERE scope = ?1";
    phone.read().query_row(sql, [scope.0], |_| Ok(())).optional().unwrap().is_some()
}

/// Tables with rows of a scope that is not in the file; receipts out of any scope apart.
fn strange(phone: &Handset) -> Vec<String> {
    let file = phone.read();
    let mut get = file
        .prepare(
            "SELECT t.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
             WHERE t.type = 'table' AND c.name = 'scope' AND t.name <> 'scopes'",
        )
        .unwrap();
    let tables: Vec<String> = get.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(tables.len() > 20);
    let is_any = |table: &String| {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {table} WHERE scope NOT IN (SELECT number FROM scopes)
                            AND NOT ('{table}' = 'receipts' AND scope < 0))"
        );
        file.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    tables.into_iter().filter(is_any).collect()
}

fn journalled(phone: &Handset, scope: ScopeId) -> usize {
    let bytes = std::fs::read(phone.path().join("journal")).unwrap();
    journal::read(&bytes).records.iter().filter(|record| record.scope == scope).count()
}

/// Own changes (here only, at the hub or in its backup, set aside).
fn own(phone: &mut Handset) -> (u64, u64, u64) {
    let status = phone.app().sync().get_status(Nothing {}).unwrap();
    (status.on_phone, status.at_hub + status.in_backup, status.set_aside)
}

fn found(phone: &mut Handset, query: &str) -> usize {
    let found = phone.app().call("households.find_households", json!({"text": query})).unwrap();
    found["households"].as_array().unwrap().len()
}

/// A member of `one` who is in `two` as well, wrote in both, and the lead of `two`.
struct Both {
    field: Field,
    one: Team,
    two: Team,
    phone: Handset,
    lead: Handset,
    second: MemberId,
    theirs: HouseholdId,
}

impl Both {
    async fn new() -> Self {
        let field = Field::start().await;
        let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
        let mut phone = field.phone(&one, "Chíu Sám Múi", Role::Member).await;
        let mut lead = field.phone(&two, "Hoàng Thị Đượm", Role::Lead).await;
        let theirs = lead.household("Hộ 21");
        lead.sync().await.unwrap();
        let member = member_of(&field, &one, "Chíu Sám Múi");
        let today = field.hub().clock.now().date();
        let second = field.hub().join_second_team((one.id, member), two.id, Role::Member, today).unwrap();
        phone.sync().await.unwrap();
        phone.household("Hộ 11");
        let mut both = Self { field, one, two, phone, lead, second, theirs };
        both.edit("sau chợ");
        both.phone.sync().await.unwrap();
        both
    }

    /// Own work of the phone in the second team.
    fn edit(&mut self, hint: &str) {
        let edited = json!({"household": self.theirs, "hint": hint});
        self.phone.app().call("households.update_household", edited).unwrap();
    }

    /// A backup, and the week after which a phone forgets what is in it.
    async fn a_week_in_the_backup(&mut self) {
        // Notes of what is in it are this far apart.
        self.field.world.pass(NOTE_EVERY_MS as i64);
        self.field.back_up();
        self.phone.sync().await.unwrap();
        self.field.world.pass(7 * DAY_MS);
        self.phone.sync().await.unwrap();
    }

    fn is_here(&self) -> bool {
        is_here(&self.phone, self.two.scope)
    }

    /// Nothing of the second team is on the phone, and what is there is what a phone has that never was in it.
    async fn is_gone(&mut self) {
        let Self { field, one, two, phone, .. } = self;
        assert!(!is_here(phone, two.scope) && !is_here(phone, two.training));
        assert_eq!(strange(phone), [""; 0]);
        assert_eq!(journalled(phone, two.scope), 0);
        assert_eq!((found(phone, "Hộ 21"), found(phone, "Hộ 11")), (0, 1));
        let entries: i64 =
            phone.read().query_row("SELECT count(*) FROM search", [], |row| row.get(0)).unwrap();
        assert_eq!(entries, phone.count("households"));
        let mut fresh = field.phone(one, "Tằng Văn Nồng", Role::Member).await;
        fresh.sync().await.unwrap();
        phone.sync().await.unwrap();
        assert!(phone.rows() == fresh.rows(), "rows differ");
        let digests = |phone: &mut Handset| {
            phone.close();
            let sql = "SELECT scope, digest FROM scopes WHERE digest IS NOT NULL ORDER BY scope";
            let file = phone.read();
            let mut get = file.prepare(sql).unwrap();
            let all = get.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            all.map(Result::unwrap).collect::<Vec<(Vec<u8>, Vec<u8>)>>()
        };
        assert_eq!(digests(phone), digests(&mut fresh));
        phone.link.take_exchanges();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_with_all_in_the_backup_drops_the_team_and_keeps_the_other_and_the_count() {
    let mut both = Both::new().await;
    let before = own(&mut both.phone);
    assert_eq!(before.0, 0);
    end(&both.field, &both.two, both.second);
    both.phone.sync().await.unwrap();
    assert!(both.is_here(), "a hub that lost its last days would lose this work");
    assert_eq!(own(&mut both.phone), before);
    both.field.back_up();
    both.phone.sync().await.unwrap();
    both.field.world.pass(7 * DAY_MS - 1);
    both.phone.sync().await.unwrap();
    assert!(both.is_here());
    both.field.world.pass(1);
    both.phone.sync().await.unwrap();
    assert!(!both.is_here());
    both.is_gone().await;
    assert_eq!(own(&mut both.phone), before, "what was in the backup is still counted");
    // The phone goes on, also after a restart, and by writers that nobody has had.
    both.phone.close();
    both.phone.household("Hộ 12");
    both.phone.sync().await.unwrap();
    assert_eq!(own(&mut both.phone), (0, before.1 + 1, 0));
    both.field.holds_once(both.one.scope, &both.phone.written_keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_nothing_drops_the_only_team_at_once_and_a_revoked_phone_drops_nothing() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut lead = field.phone(&team, "Hoàng Thị Đượm", Role::Lead).await;
    lead.household("Hộ 11");
    lead.sync().await.unwrap();
    let mut leaves = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut lost = field.phone(&team, "Tằng Văn Nồng", Role::Member).await;
    for phone in [&mut leaves, &mut lost] {
        phone.sync().await.unwrap();
        assert_eq!(found(phone, "Hộ 11"), 1);
    }
    field.hub().revoke_device(lost.device()).unwrap();
    assert!(matches!(lost.sync().await, Err(AppError::NotAllowed { .. })));
    assert!(is_here(&lost, team.scope));

    end(&field, &team, member_of(&field, &team, "Chíu Sám Múi"));
    leaves.sync().await.unwrap();
    assert!(!is_here(&leaves, team.scope));
    assert_eq!(strange(&leaves), [""; 0]);
    assert_eq!(found(&mut leaves, "Hộ 11"), 0);
    for _ in 0..2 {
        leaves.sync().await.unwrap();
        assert_eq!(own(&mut leaves), (0, 0, 0));
        let consent = json!({"text": "consent.script@1", "way": 1});
        let new = json!({"label": "Hộ 12", "persons": [], "consent": consent});
        let refused = leaves.app().call("households.create_household", new);
        assert!(matches!(refused, Err(AppError::NotAllowed { .. })), "{refused:?}");
        leaves.close();
    }
    lead.household("Hộ 12");
    lead.sync().await.unwrap();
    leaves.link.take_exchanges();
    leaves.sync().await.unwrap();
    assert_eq!(found(&mut leaves, "Hộ 12"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn unsent_work_and_a_draft_hold_the_team_until_the_lead_has_judged_and_the_form_is_done() {
    let mut both = Both::new().await;
    let before = own(&mut both.phone);
    both.edit("cạnh cầu");
    end(&both.field, &both.two, both.second);
    both.a_week_in_the_backup().await;
    assert!(both.is_here());
    assert_eq!(own(&mut both.phone), (0, before.1, 1), "it went out, and waits for the lead");
    both.field.world.pass(30 * DAY_MS);
    both.phone.sync().await.unwrap();
    assert!(both.is_here());

    let draft = json!({"kind": "visit", "body": {"household": both.theirs, "note": "dở dang"}});
    let draft = both.phone.app().call("drafts.save_draft", draft).unwrap()["draft"].clone();
    let waiting = both.field.log().list_set_aside(both.two.scope).unwrap();
    both.field.hub().decide(both.two.scope, waiting[0].name, Verdict::Admit, None).unwrap();
    both.phone.sync().await.unwrap();
    assert_eq!(own(&mut both.phone), (0, before.1 + 1, 0), "who left is told where the own work is");
    both.phone.link.take_exchanges();
    both.a_week_in_the_backup().await;
    let sent = both.phone.link.take_exchanges();
    assert!(sent.iter().all(|one| one.carried().is_empty()), "what was admitted does not go again");
    assert!(both.is_here(), "the form is about a household of that team");

    both.phone.app().call("drafts.discard_draft", json!({"draft": draft})).unwrap();
    both.phone.sync().await.unwrap();
    both.is_gone().await;
    assert_eq!(own(&mut both.phone), (0, before.1 + 1, 0));
    both.lead.sync().await.unwrap();
    let sql = "SELECT hint FROM live_households WHERE id = ?1";
    let hint: String = both.lead.read().query_row(sql, [both.theirs.0.0], |row| row.get(0)).unwrap();
    assert_eq!(hint, "cạnh cầu");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_lost_what_it_had_admitted_gets_it_again_from_who_left() {
    let mut both = Both::new().await;
    both.edit("cạnh cầu");
    end(&both.field, &both.two, both.second);
    let copy = both.field.copy();
    both.phone.sync().await.unwrap();
    let waiting = both.field.log().list_set_aside(both.two.scope).unwrap();
    both.field.hub().decide(both.two.scope, waiting[0].name, Verdict::Admit, None).unwrap();
    both.phone.sync().await.unwrap();
    assert_eq!((own(&mut both.phone).0, own(&mut both.phone).2), (0, 0));
    both.field = both.field.roll_back(&copy).await;
    both.field.reach(&[&both.phone, &both.lead]);
    // Another history is longer than the lost one was.
    for label in ["Hộ 22", "Hộ 23", "Hộ 24"] {
        both.lead.household(label);
    }
    both.lead.sync().await.unwrap();
    both.a_week_in_the_backup().await;
    assert!(both.is_here());
    assert_eq!((own(&mut both.phone).0, own(&mut both.phone).2), (0, 1), "it waits for the lead again");
    let waiting = both.field.log().list_set_aside(both.two.scope).unwrap();
    assert_eq!(waiting.len(), 1);
    both.field.hub().decide(both.two.scope, waiting[0].name, Verdict::Admit, None).unwrap();
    both.a_week_in_the_backup().await;
    both.is_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_stopped_between_journal_database_and_copy_goes_on_and_sends_nothing_twice() {
    let mut both = Both::new().await;
    end(&both.field, &both.two, both.second);
    both.field.back_up();
    both.phone.sync().await.unwrap();
    both.field.world.pass(7 * DAY_MS);
    both.phone.close();
    let files = ["phone.db", "phone.identity"].map(|name| both.phone.path().join(name));
    let before = files.clone().map(|file| std::fs::read(file).unwrap());
    assert!(journalled(&both.phone, both.two.scope) > 0);
    both.phone.sync().await.unwrap();
    assert!(!both.is_here());
    let count = own(&mut both.phone);
    // The journal has let go of it: stopped before the transaction, or after it and before the copy of who the phone is.
    for put_back in [0..2, 1..2] {
        both.phone.close();
        assert!(files.iter().zip(&before).all(|(file, bytes)| std::fs::read(file).unwrap() != *bytes));
        for at in put_back.clone() {
            std::fs::write(&files[at], &before[at]).unwrap();
        }
        both.phone.app();
        assert!(both.is_here());
        assert_eq!((own(&mut both.phone), found(&mut both.phone, "Hộ 21")), (count, put_back.len() - 1));
        both.phone.link.take_exchanges();
        both.phone.sync().await.unwrap();
        let sent = both.phone.link.take_exchanges();
        assert!(sent.iter().all(|one| one.carried().is_empty()));
        both.is_gone().await;
        assert_eq!(own(&mut both.phone), count);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_copied_before_and_put_back_sends_what_it_had_unsent_and_drops_the_team_then() {
    let mut both = Both::new().await;
    end(&both.field, &both.two, both.second);
    both.edit("cạnh cầu");
    both.phone.close();
    let copy = both.phone.copy();
    let unsent = copy.written().pop().unwrap().1;
    // The phone itself never sends it: it is lost with all it had, and an older copy of its folder takes its place.
    both.phone = copy;
    both.a_week_in_the_backup().await;
    assert!(both.is_here());
    let waiting = both.field.log().list_set_aside(both.two.scope).unwrap();
    assert_eq!(waiting.iter().map(|one| one.key).collect::<Vec<_>>(), [Some(unsent)]);
    both.phone.close();
    let second = both.phone.copy();
    both.field.hub().decide(both.two.scope, waiting[0].name, Verdict::Admit, None).unwrap();
    both.phone.sync().await.unwrap();
    both.a_week_in_the_backup().await;
    both.is_gone().await;
    // A copy that still has it finds the same answer at the hub.
    both.phone = second;
    both.a_week_in_the_backup().await;
    both.is_gone().await;
    both.field.holds_once(both.two.scope, [&unsent]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_has_everything_again_and_new_work_goes_where_it_went_before() {
    let mut both = Both::new().await;
    let mut stays = both.field.phone(&both.two, "Tằng Văn Nồng", Role::Member).await;
    let first = member_of(&both.field, &both.one, "Chíu Sám Múi");
    // The first team is the one that is left: new households went there, and do again.
    end(&both.field, &both.one, first);
    both.a_week_in_the_backup().await;
    assert!(!is_here(&both.phone, both.one.scope) && both.is_here());
    let counted = own(&mut both.phone);
    let today = both.field.hub().clock.now().date();
    both.field.hub().join_second_team((both.two.id, both.second), both.one.id, Role::Member, today).unwrap();
    both.phone.sync().await.unwrap();
    assert!(is_here(&both.phone, both.one.scope));
    assert_eq!((found(&mut both.phone, "Hộ 11"), found(&mut both.phone, "Hộ 21")), (1, 1));
    assert_eq!(own(&mut both.phone), counted, "its receipts are where they were");
    both.phone.household("Hộ 12");
    assert_eq!(both.phone.written().pop().unwrap().0, both.one.scope);
    both.phone.sync().await.unwrap();
    assert!(both.field.hub().list_waiting().unwrap().is_empty());
    both.phone.close();
    both.phone.sync().await.unwrap();
    assert_eq!(own(&mut both.phone).0, 0, "nothing of before comes to life as unsent");
    stays.sync().await.unwrap();
    let of = |phone: &Handset, scope| rows_of(&phone.read(), Some(scope));
    assert!(of(&both.phone, both.two.scope) == of(&stays, both.two.scope));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_hub_put_back_may_lack_stay_with_who_left() {
    let mut field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let mut phone = field.phone(&one, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(&two, "Hoàng Thị Đượm", Role::Lead).await;
    let (first, today) = (member_of(&field, &one, "Chíu Sám Múi"), field.hub().clock.now().date());
    let second = field.hub().join_second_team((one.id, first), two.id, Role::Member, today).unwrap();
    lead.household("Hộ 21");
    for phone in [&mut lead, &mut phone] {
        phone.sync().await.unwrap();
    }
    let copy = field.copy();
    lead.household("Hộ 22");
    for phone in [&mut lead, &mut phone] {
        phone.sync().await.unwrap();
    }
    async fn a_week(field: &Field, phone: &mut Handset) {
        field.world.pass(NOTE_EVERY_MS as i64);
        field.back_up();
        phone.sync().await.unwrap();
        field.world.pass(7 * DAY_MS);
        phone.sync().await.unwrap();
    }
    // So long in the backup that the phone has let go of all but the rows, of which it wrote none. Then the hub is put
    // back to before the last of them, and the phone that wrote it is lost.
    a_week(&field, &mut phone).await;
    assert_eq!((own(&mut phone), found(&mut phone, "Hộ 22")), ((0, 0, 0), 1));
    field = field.roll_back(&copy).await;
    field.reach(&[&phone]);
    end(&field, &two, second);
    phone.sync().await.unwrap();
    for _ in 0..2 {
        a_week(&field, &mut phone).await;
        assert!(is_here(&phone, two.scope));
        assert_eq!(found(&mut phone, "Hộ 22"), 1, "nothing else holds it");
    }
}
