//! What released programs left: phones, hubs and messages frozen under `fixtures/old`. Today's code opens copies of
//! them and finds everything, and takes what those programs send. How a release adds its own: `fixtures/old/README.md`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a failure here is a failed test")]

#[path = "../../../core/store/tests/replicas/dump.rs"]
#[allow(dead_code)]
mod dump;
#[path = "../field/mod.rs"]
mod field;
mod freeze;
mod frozen;
#[path = "../../../core/store/tests/replicas/newer.rs"]
#[allow(dead_code)]
mod newer;

use langso_device::companion::{Nothing, SyncNow};
use langso_domain::id::ScopeId;
use langso_domain::registry::ScopeKind;
use langso_store::{CURRENT, Purpose, Replica, Schema};
use langso_sync::change::Change;
use langso_sync::digest::Digest;
use langso_sync::keys::{Fingerprint, PublicKey};
use langso_sync::wire::{Enrol, Enrolled, ReplyEvent, ReplyReader, RequestEvent, RequestReader, SYNC_PATH};

use frozen::Frozen;

/// What each scope of a phone's file comes to.
fn digests(frozen: &Frozen, schema: Schema) -> Vec<(ScopeId, Digest)> {
    let mut replica = Replica::open(&frozen.phone().join("phone.db"), schema, Purpose::Phone).unwrap();
    let counted = replica.recount().unwrap();
    assert!(counted.iter().all(|of| !of.is_damaged()), "{}: {counted:?}", frozen.name);
    counted.iter().map(|of| (of.scope, of.digest)).collect()
}

#[tokio::test]
async fn a_phone_of_every_release_opens_and_has_all_it_had() {
    for frozen in Frozen::all() {
        let known = &frozen.known;
        let nowhere = field::Link::to(([127, 0, 0, 1], 9).into()).await;
        let mut phone = field::Handset::at(frozen.copy_of_phone(), &field::World::new(), nowhere);
        for (table, count) in &known.rows {
            assert_eq!(phone.count(table), *count, "{}: {table}", frozen.name);
        }
        let status = phone.app().sync().get_status(Nothing {}).unwrap();
        assert_eq!(status.on_phone, known.unsent, "{}", frozen.name);
        let drafts = phone.app().drafts().list_drafts(Nothing {}).unwrap().drafts;
        assert_eq!(drafts.len() as u64, known.drafts, "{}", frozen.name);
        let state = phone.app().state().get_state(Nothing {}).unwrap();
        assert_eq!(state.owner.unwrap().name.as_deref(), Some(known.owner.as_str()), "{}", frozen.name);
        phone.close();
        let journal = std::fs::read(frozen.phone().join("journal")).unwrap();
        let contents = langso_device::journal::read(&journal);
        assert_eq!(contents.records.len() as u64, known.journal, "{}", frozen.name);
        assert!(contents.damaged.is_empty(), "{}", frozen.name);
        let counted: Vec<_> =
            digests(&frozen, CURRENT).iter().map(|(scope, digest)| (*scope, digest.to_bytes())).collect();
        assert_eq!(counted, known.digests(), "{}: the digest is for ever", frozen.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_of_every_release_pushes_to_the_hub_of_today() {
    for frozen in Frozen::all() {
        let field = frozen.serve().await;
        let link = field::Link::to(field.running.addr).await;
        let folder = frozen.copy_of_phone();
        frozen::point_to(folder.path(), &link.url());
        let mut phone = field::Handset::at(folder, &field.world, link);
        let written = phone.written();
        let report = phone.app().sync().sync_now(SyncNow::default()).await.unwrap();
        assert_eq!((report.waiting, report.is_done), (0, true), "{}", frozen.name);
        for (scope, key, _) in &written {
            assert!(field.keys(*scope).contains(key), "{}: {key:?}", frozen.name);
        }
        assert_eq!(field.log().list_refusals().unwrap(), [], "{}", frozen.name);
        // What it holds then is what a phone of today makes of the same log.
        let mut fresh = Replica::in_memory(CURRENT, Purpose::HubCache).unwrap();
        frozen::fill(&mut fresh, &field, &frozen);
        phone.close();
        let of_today: Vec<_> = fresh.recount().unwrap().iter().map(|of| (of.scope, of.digest)).collect();
        let mut file = Replica::open(&phone.file(), CURRENT, Purpose::Phone).unwrap();
        for counted in file.recount().unwrap() {
            assert!(of_today.contains(&(counted.scope, counted.digest)), "{}", frozen.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_every_release_are_read_and_its_push_is_taken() {
    for frozen in Frozen::all() {
        let hub_key = PublicKey::from_bytes(&frozen.message("hub.public")).unwrap();
        let request = frozen.message("request");
        let mut reader = RequestReader::new(u64::MAX);
        reader.push(&request).unwrap();
        let (mut frames, mut hello) = (0, None);
        while let Some(event) = reader.next_event().unwrap() {
            match event {
                RequestEvent::Auth(_) => {}
                RequestEvent::Hello(said) => hello = Some(said),
                RequestEvent::Frame(_) => frames += 1,
            }
        }
        assert!(frames > 0 && hello.is_some(), "{}", frozen.name);
        let is_whole = |reply: &[u8]| {
            let mut reader = ReplyReader::default();
            reader.push(reply);
            let mut served = 0;
            while let Some(event) = reader.next_event().unwrap() {
                if let ReplyEvent::Frame(bytes) = event {
                    let outer = langso_sync::frame::Outer::whole(&bytes).unwrap();
                    outer.verify(&hub_key).unwrap();
                    let frame = outer.open().unwrap();
                    served += frame.changes().filter(|one| Change::decode(one.bytes).is_ok()).count();
                }
            }
            assert!(reader.ended(), "{}", frozen.name);
            served
        };
        assert!(is_whole(&frozen.message("first-reply")) > 0, "{}: a first sync", frozen.name);
        is_whole(&frozen.message("reply"));
        let (asked, answered) = (frozen.message("enrol"), frozen.message("enrolled"));
        Enrol::decode(&asked).unwrap();
        Enrolled::decode(&answered, &asked, &Fingerprint::of(&hub_key)).unwrap();

        // The very bytes that the old phone sent, at the hub as it was then, run by today's program.
        let field = frozen.serve().await;
        let before: usize = frozen.known.scopes().map(|scope| field.keys(scope).len()).sum();
        let url = format!("http://{}{SYNC_PATH}", field.running.addr);
        let answer = reqwest::Client::new().post(url).body(request).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{}", frozen.name);
        is_whole(&answer.bytes().await.unwrap());
        let after: usize = frozen.known.scopes().map(|scope| field.keys(scope).len()).sum();
        assert_eq!(after - before, frozen.known.unsent as usize, "{}", frozen.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_of_every_release_becomes_what_a_fresh_phone_of_the_next_would_be() {
    for frozen in Frozen::all() {
        let field = frozen.serve().await;
        let next = newer::with_field_and_table();
        let folder = frozen.copy_of_phone();
        let upgraded = Replica::open(&folder.path().join("phone.db"), next, Purpose::Phone).unwrap();
        let mut fresh = Replica::in_memory(next, Purpose::Phone).unwrap();
        frozen::fill(&mut fresh, &field, &frozen);
        // The tables of a replica; what the phone keeps beside them is its own.
        let kept = ["unknown_rows", "shelf", "awaited", "strays"];
        let tables: Vec<&str> = next.registry.tables.iter().map(|table| table.plural).chain(kept).collect();
        let of = |replica: &Replica| {
            let mut lines = dump::dump(replica);
            lines.retain(|line| line.split_once(' ').is_some_and(|(table, _)| tables.contains(&table)));
            lines
        };
        assert!(of(&upgraded) == of(&fresh) && of(&fresh).len() > 20, "{}", frozen.name);
        let errands: i64 =
            upgraded.connection().query_row("SELECT count(*) FROM errands", [], |row| row.get(0)).unwrap();
        let wifi = "SELECT count(*) FROM households WHERE wifi IS NOT NULL";
        let wifi: i64 = upgraded.connection().query_row(wifi, [], |row| row.get(0)).unwrap();
        assert!(errands > 0 && wifi > 0, "{}: what it could not read is there", frozen.name);
        drop(upgraded);
        let mut upgraded = Replica::open(&folder.path().join("phone.db"), next, Purpose::Phone).unwrap();
        let digests = |replica: &mut Replica| -> Vec<_> {
            replica.recount().unwrap().iter().map(|of| (of.scope, of.digest)).collect()
        };
        assert_eq!(digests(&mut upgraded), digests(&mut fresh), "{}", frozen.name);
    }
}

/// The kinds that a frozen phone's scopes may have.
fn kind(number: i64) -> ScopeKind {
    ScopeKind::from_number(number).unwrap()
}
