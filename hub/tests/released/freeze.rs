//! Freezes this release, once: `LANGSO_WRITE_FIXTURES=1`. What is frozen is never written again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use langso_domain::registry::{CURRENT as REGISTRY, Role};
use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::author::Author;
use langso_sync::clock::Clock;
use langso_sync::frame::FrameBuilder;
use langso_sync::keys::SigningKey;
use langso_sync::value::Value;
use serde_json::json;

use crate::field::{Field, Handset, Team, http};
use crate::frozen::{Known, pack, root};
use crate::newer::{ERRAND, HOUSEHOLD, WIFI};

const OWNER: &str = "Chíu Sám Múi";

/// A phone of a newer program writes what this one cannot read.
fn newer_writes(field: &Field, team: &Team, phone: &Handset, home: langso_domain::id::HouseholdId) {
    let seed: [u8; 32] = fs::read(phone.path().join("phone.key")).unwrap()[..32].try_into().unwrap();
    let key = SigningKey::from_seed(&seed);
    let mut author = Author::new(langso_domain::id::Writer(0x0123_4567_89ab_cdef));
    let mut builder = FrameBuilder::new(team.scope, CURRENT.registry.schema + 1, usize::MAX);
    let mut clock = Clock::default();
    let mut draft = author.draft();
    draft.create(HOUSEHOLD, [(1, Value::from("Hộ 40")), (WIFI, Value::Int(3))]).unwrap();
    draft.create(ERRAND, [(1, Value::Ref(home.0)), (2, Value::from("pin"))]).unwrap();
    let change = author.finish(draft, &mut clock, field.world.now() as u64);
    builder.push(&change.encode()).unwrap();
    let frame = builder.build(&key).unwrap();
    field.hub().intake.take_all(&[frame], field.hub().clock.now()).unwrap();
    assert!(field.keys(team.scope).contains(&change.key), "the hub takes it");
}

fn pack_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_file()
            && ![".lock", "-wal", "-shm"].iter().any(|end| name.ends_with(end))
            && !name.contains("ballast")
        {
            pack(to, &name, &fs::read(&path).unwrap());
        }
    }
}

fn known(phone: &mut Handset, unsent: u64) -> Known {
    let rows = REGISTRY.tables.iter().map(|table| (table.plural.to_owned(), phone.count(table.plural)));
    let rows: BTreeMap<String, i64> = rows.filter(|(_, count)| *count > 0).collect();
    let drafts =
        phone.read().query_row("SELECT count(*) FROM drafts", [], |row| row.get::<_, i64>(0)).unwrap();
    phone.close();
    let journal = fs::read(phone.path().join("journal")).unwrap();
    let journal = langso_device::journal::read(&journal).records.len() as u64;
    let mut replica = Replica::open(&phone.file(), CURRENT, Purpose::Phone).unwrap();
    let counted = replica.recount().unwrap();
    let states = replica.scopes().unwrap();
    let scopes = states.iter().map(|state| {
        let of = counted.iter().find(|of| of.scope == state.scope).unwrap();
        (state.scope, state.kind, format!("{:032x}", u128::from_be_bytes(of.digest.to_bytes())))
    });
    let scopes = scopes.collect();
    Known { owner: OWNER.to_owned(), rows, scopes, unsent, drafts: drafts as u64, journal }
}

#[tokio::test(flavor = "multi_thread")]
async fn freezes_this_release_when_asked_for() {
    let folder = root().join(env!("CARGO_PKG_VERSION"));
    if std::env::var_os("LANGSO_WRITE_FIXTURES").is_none() || folder.exists() {
        return;
    }
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, OWNER, Role::Member).await;
    let enrolment = phone.link.take_exchanges().remove(0);
    let mut other = field.phone(&team, "Lỷ A Nhì", Role::Lead).await;
    other.sync().await.unwrap();
    let home = other.household("Hộ 7");
    other.visit(&team);
    other.sync().await.unwrap();
    other.close();
    newer_writes(&field, &team, &other, home);
    phone.sync().await.unwrap();
    let first = phone.link.take_exchanges().pop().unwrap();
    phone.household("Hộ 12");
    phone.visit(&team);
    phone.sync().await.unwrap();
    // Two versions of one field, unseen by each other, and a row struck out.
    for (phone, label) in [(&mut phone, "Hộ 7 suối"), (&mut other, "Hộ 7 đồi")] {
        phone.save(|saving| saving.patch("household", home.0, [("label", label.into())]));
        phone.sync().await.unwrap();
    }
    phone.sync().await.unwrap();
    let anew = phone.household("Hộ 13");
    phone.save(|saving| saving.patch("household", anew.0, [("void", true.into())]));
    phone.sync().await.unwrap();
    // The hub as it is; then work that it does not have.
    let Field { folder: hub, world, running } = field;
    running.shutdown().await.unwrap();
    // Whatever still waits in its log is folded in.
    let file = rusqlite::Connection::open(hub.path().join("hub.db")).unwrap();
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(file);
    pack_folder(hub.path(), &folder.join("hub"));
    let running = langso_hub::server::Server::start(langso_hub::server::Config {
        clock: world.hub_clock(),
        ..langso_hub::server::Config::new(hub.path(), ([127, 0, 0, 1], 0).into())
    })
    .await
    .unwrap();
    phone.link.point_to(running.addr);
    phone.household("Hộ 14");
    phone.visit(&team);
    let draft = json!({"kind": "visit", "body": {"hamlet": team.hamlet}});
    phone.app().call("drafts.save_draft", draft).unwrap();
    let unsent = 3;
    let known = known(&mut phone, unsent);
    phone.close();
    pack_folder(phone.path(), &folder.join("phone"));
    phone.link.take_exchanges();
    phone.sync().await.unwrap();
    let pushed = phone.link.take_exchanges();
    let pushed = pushed.iter().find(|exchange| !exchange.carried().is_empty()).unwrap();
    let messages = folder.join("messages");
    pack(&messages, "enrol", &http::body(&enrolment.up).0);
    pack(&messages, "enrolled", &http::body(&enrolment.down).0);
    pack(&messages, "first-reply", &http::body(&first.down).0);
    pack(&messages, "request", &http::body(&pushed.up).0);
    pack(&messages, "reply", &http::body(&pushed.down).0);
    pack(&messages, "hub.public", &running.hub.keys.public().to_bytes());
    let text = serde_json::to_string_pretty(&known).unwrap();
    fs::write(folder.join("known.json"), text + "\n").unwrap();
}
