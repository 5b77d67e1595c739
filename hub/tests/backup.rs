//! Backups of a hub that serves: made while phones push, read back, damaged in every way, restored.

#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod field;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use field::{Field, Handset, Team};
use langso_device::companion::Nothing;
use langso_domain::id::ScopeId;
use langso_domain::registry::{CURRENT, Role};
use langso_hub::backup::{self, Error, Fault, Made, Stage, State};
use langso_hub::clock::DAY_MS;
use langso_hub::log::{Log, Unsound};
use langso_hub::server::{Config, Hub, Server};
use rusqlite::Connection;

fn quiet() -> impl FnMut(Stage, u64, u64) {
    |_, _, _| {}
}

fn back_up(field: &Field, shelf: &Path) -> Made {
    field.hub().back_up(shelf, &mut quiet()).unwrap()
}

fn mark(hub: &Hub, scope: ScopeId) -> (u64, u64) {
    let state = hub.log.scope(scope).unwrap().unwrap();
    (state.watermark, state.head)
}

/// A team whose member has saved and sent, and a shelf for backups.
async fn worked(visits: u32) -> (Field, Team, Handset, tempfile::TempDir) {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    member.sync().await.unwrap();
    member.household("Hộ 12");
    for _ in 0..visits {
        member.visit(&team);
    }
    member.sync().await.unwrap();
    (field, team, member, tempfile::tempdir().unwrap())
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = BTreeMap::new();
    for path in entries {
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found
}

/// A copy of a backup's folder, to be damaged.
fn copied(made: &Made) -> (tempfile::TempDir, PathBuf) {
    let (folder, name) = (tempfile::tempdir().unwrap(), made.folder.file_name().unwrap());
    let copy = folder.path().join(name);
    std::fs::create_dir(&copy).unwrap();
    for (path, bytes) in files(&made.folder) {
        std::fs::write(copy.join(path.file_name().unwrap()), bytes).unwrap();
    }
    (folder, copy)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_backup_the_watermark_is_zero_and_a_backup_takes_visits_to_the_last_rung() {
    let (field, team, mut member, shelf) = worked(2).await;
    let before = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((mark(field.hub(), team.scope).0, field.log().last_backup().unwrap()), (0, None));
    // A household, and two visits with their checklists.
    assert_eq!((before.at_hub, before.in_backup), (5, 0));

    let made = back_up(&field, shelf.path());
    let (watermark, head) = mark(field.hub(), team.scope);
    assert_eq!(watermark, head);
    assert!(field.hub().list_teams().unwrap().iter().all(|team| {
        let (watermark, head) = mark(field.hub(), team.training);
        watermark == head
    }));
    let last = field.log().last_backup().unwrap().unwrap();
    assert_eq!((last.changes, last.bytes), (made.manifest.changes, made.manifest.bytes()));
    assert_eq!(Path::new(&last.folder).file_name(), made.folder.file_name());
    member.sync().await.unwrap();
    let after = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((after.at_hub, after.in_backup), (0, 5));

    // What comes later is at the hub, and in no backup.
    member.visit(&team);
    member.sync().await.unwrap();
    let after = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((after.at_hub, after.in_backup), (2, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_private_one_file_whole_and_named_by_its_time() {
    let (field, team, _member, shelf) = worked(1).await;
    let (first, second) = (back_up(&field, shelf.path()), back_up(&field, shelf.path()));
    assert_ne!(first.folder, second.folder, "two of one second");
    let mut names: Vec<_> =
        std::fs::read_dir(&first.folder).unwrap().map(|one| one.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["SHA256SUMS", "hub.db", "hub.key", "manifest.json"]);
    let key = std::fs::read(field.folder.path().join("hub.key")).unwrap();
    assert_eq!(std::fs::read(first.folder.join("hub.key")).unwrap(), key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&first.folder), 0o700);
        assert!(files(&first.folder).keys().all(|path| mode(path) == 0o600));
    }
    let copy = Log::open(&first.folder.join("hub.db"), &CURRENT).unwrap();
    assert_eq!(copy.scope(team.scope).unwrap().unwrap().head, mark(field.hub(), team.scope).1);
    drop(copy);

    field.world.pass(2 * DAY_MS);
    let third = back_up(&field, shelf.path());
    std::fs::create_dir(shelf.path().join("unfinished-langso-20200101-000000")).unwrap();
    std::fs::create_dir(shelf.path().join("photos")).unwrap();
    let kept = backup::list(shelf.path(), &mut quiet()).unwrap();
    assert_eq!(kept[0].folder, third.folder, "newest first");
    let whole = kept.iter().filter(|one| matches!(one.state, State::Whole(_))).count();
    // The first was opened as a log above, which wrote into it.
    let damaged: Vec<_> = kept.iter().filter(|one| matches!(one.state, State::Damaged(_))).collect();
    assert_eq!((kept.len(), whole, damaged.len()), (4, 2, 1));
    assert_eq!(damaged[0].folder, first.folder);
    assert!(matches!(kept[3].state, State::Unfinished));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_phones_push_is_of_one_moment_and_raises_no_further() {
    let (field, team, mut first, shelf) = worked(3).await;
    let mut second = field.phone(&team, "Tằng Văn Nồng", Role::Member).await;
    second.sync().await.unwrap();
    let (mut pushed, mut during) = (0, None);
    let runtime = tokio::runtime::Handle::current();
    let made = tokio::task::block_in_place(|| {
        let mut tell = |stage, _, _| {
            // Phones push between the copy and its reading back, and again while it is read.
            if pushed < 4 && (stage == Stage::Copying || stage == Stage::Reading) {
                during.get_or_insert(mark(field.hub(), team.scope).1);
                for phone in [&mut first, &mut second] {
                    phone.visit(&team);
                    runtime.block_on(phone.sync()).unwrap();
                }
                pushed += 2;
            }
        };
        field.hub().back_up(shelf.path(), &mut tell).unwrap()
    });
    assert_eq!(pushed, 4);
    let (watermark, head) = mark(field.hub(), team.scope);
    assert_eq!(head, during.unwrap() + 4, "what was pushed meanwhile arrived");
    let in_copy = made.manifest.scopes.iter().find(|one| one.scope == team.scope.to_string()).unwrap().head;
    assert_eq!(watermark, in_copy);
    assert!(watermark < head, "what came after the copy is not in it");
    assert_eq!(backup::verify(&made.folder, &mut quiet()).unwrap().manifest, made.manifest);
    let next = back_up(&field, shelf.path());
    assert_eq!(mark(field.hub(), team.scope), (head, head));
    assert_ne!(next.folder, made.folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_damage_of_a_backup_is_found() {
    let (field, _, _member, shelf) = worked(6).await;
    let made = back_up(&field, shelf.path());
    let mut damages = 0;
    for (path, bytes) in files(&made.folder) {
        let name = path.file_name().unwrap().to_owned();
        let (_folder, copy) = copied(&made);
        let path = copy.join(&name);
        let mut found = |damaged: Option<&[u8]>, what: &str| {
            match damaged {
                Some(damaged) => std::fs::write(&path, damaged).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            damages += 1;
            let said = backup::verify(&copy, &mut quiet());
            assert!(matches!(said, Err(Error::Damaged { .. })), "{name:?}, {what}: {said:?}");
            assert!(backup::restore(&copy, &copy.join("to"), &mut quiet()).is_err());
            assert!(!copy.join("to").exists());
        };
        // Every byte of the small ones, one of each region of the log.
        let step = if bytes.len() > 8_192 { 509 } else { 1 };
        for at in (0..bytes.len()).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            // The title of the form: a later one is not damage, and not read either.
            let says_newer = flipped.windows(18).any(|piece| {
                piece.starts_with(b"\"langso_backup\": ") && piece[17].is_ascii_digit() && piece[17] > b'1'
            });
            if !says_newer {
                found(Some(&flipped), &format!("byte {at}"));
            }
        }
        for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            found(Some(&bytes[..length]), &format!("cut to {length}"));
        }
        found(Some(&[&bytes[..], b"\0"].concat()), "longer");
        found(None, "missing");
        std::fs::write(&path, &bytes).unwrap();
        backup::verify(&copy, &mut quiet()).unwrap();
    }
    println!("{damages} damages, all found");
    assert!(damages > 500, "{damages}");
    let (_folder, copy) = copied(&made);
    std::fs::write(copy.join("hub.db-wal"), "").unwrap();
    let said = backup::verify(&copy, &mut quiet());
    assert!(matches!(said, Err(Error::Damaged { fault: Fault::Stray, .. })), "{said:?}");
    assert!(matches!(backup::verify(shelf.path(), &mut quiet()), Err(Error::NoBackup(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_does_not_read_back_raises_nothing_and_leaves_nothing_behind() {
    let (field, team, _member, shelf) = worked(4).await;
    let good = back_up(&field, shelf.path());
    let mut member = field.phone(&team, "Tằng Văn Nồng", Role::Member).await;
    member.sync().await.unwrap();
    member.visit(&team);
    member.sync().await.unwrap();
    let before = (mark(field.hub(), team.scope), field.log().last_backup().unwrap(), files(shelf.path()));
    assert!(before.0.0 < before.0.1);
    let length = std::fs::metadata(good.folder.join("hub.db")).unwrap().len();
    for at in (0..length).step_by(20_001) {
        // Bytes change on the disk between the copy and its reading back.
        let mut hashed = 0;
        let mut tell = |stage, done, all| {
            if stage == Stage::Hashing && done == all {
                hashed += 1;
            }
            if hashed == 1 && stage == Stage::Hashing {
                let draft = std::fs::read_dir(shelf.path()).unwrap().map(|one| one.unwrap().path());
                let draft =
                    draft.filter(|path| path.to_string_lossy().contains("unfinished-")).last().unwrap();
                let mut bytes = std::fs::read(draft.join("hub.db")).unwrap();
                bytes[at as usize] ^= 0x10;
                std::fs::write(draft.join("hub.db"), bytes).unwrap();
            }
        };
        let said = field.hub().back_up(shelf.path(), &mut tell);
        assert!(matches!(said, Err(Error::Damaged { fault: Fault::Altered, .. })), "{said:?}");
        let now = (mark(field.hub(), team.scope), field.log().last_backup().unwrap(), files(shelf.path()));
        assert_eq!(now, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_begun_in_the_same_second_each_get_a_name_and_none_takes_anothers_folder() {
    let (field, _team, _member, folder) = worked(1).await;
    let shelf = folder.path().join("many/shelves");
    let (together, begun) = (8, std::sync::Barrier::new(8));
    let one = || {
        begun.wait();
        field.hub().back_up(&shelf, &mut quiet()).map(|made| made.folder)
    };
    let made: Vec<_> = std::thread::scope(|threads| {
        let begun: Vec<_> = (0..together).map(|_| threads.spawn(one)).collect();
        begun.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    let names: std::collections::BTreeSet<_> = made.iter().collect();
    assert_eq!(names.len(), together);
    let listed = backup::list(&shelf, &mut quiet()).unwrap();
    assert_eq!(listed.len(), together);
    for folder in &made {
        backup::verify(folder, &mut quiet()).unwrap();
    }
}

/// Alters the hub's own log as no program does.
fn alter(field: &Field, sql: &str) {
    let log = Connection::open(field.folder.path().join("hub.db")).unwrap();
    assert!(log.execute(sql, []).unwrap() > 0, "{sql}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_damaged_itself_is_found_by_its_backup_which_counts_for_nothing() {
    type Is = fn(&Unsound) -> bool;
    let cases: [(&str, Is); 6] = [
        ("UPDATE changes SET bytes = CAST(bytes || x'00' AS BLOB) WHERE position = 2", |it| {
            matches!(it, Unsound::Change(..))
        }),
        ("UPDATE changes SET hash = randomblob(32) WHERE position = 1", |it| {
            matches!(it, Unsound::Change(_, 1))
        }),
        ("UPDATE changes SET chain = zeroblob(8) WHERE position = 3", |it| {
            matches!(it, Unsound::History(_, 2))
        }),
        ("DELETE FROM changes WHERE position = 2", |it| matches!(it, Unsound::History(_, 1))),
        ("UPDATE scopes SET head = head + 1 WHERE head > 2", |it| matches!(it, Unsound::Head(_))),
        ("DELETE FROM writers", |it| matches!(it, Unsound::Stray)),
    ];
    for (sql, is) in cases {
        let (field, team, _member, shelf) = worked(3).await;
        alter(&field, sql);
        let said = field.hub().back_up(shelf.path(), &mut quiet());
        match said {
            Err(Error::Damaged { fault: Fault::Log(why), .. }) => assert!(is(&why), "{sql}: {why:?}"),
            other => panic!("{sql}: {other:?}"),
        }
        assert_eq!((mark(field.hub(), team.scope).0, files(shelf.path()).len()), (0, 0), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_needs_an_empty_folder_and_touches_no_other() {
    let (field, _, _member, shelf) = worked(1).await;
    let made = back_up(&field, shelf.path());
    let home = tempfile::tempdir().unwrap();
    let taken = home.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    std::fs::write(taken.join("somebody's.txt"), "x").unwrap();
    for to in
        [taken.clone(), taken.join("somebody's.txt"), field.folder.path().to_owned(), made.folder.clone()]
    {
        let before = files(home.path());
        let said = backup::restore(&made.folder, &to, &mut quiet());
        assert!(matches!(said, Err(Error::NotEmpty(_))), "{said:?}");
        assert_eq!(files(home.path()), before);
    }
    let empty = home.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for to in [empty, home.path().join("new")] {
        backup::restore(&made.folder, &to, &mut quiet()).unwrap();
        let names: Vec<_> = files(&to).into_keys().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["hub.db", "hub.key"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert!(files(&to).keys().all(|path| mode(path) == 0o600));
        }
    }
    backup::verify(&made.folder, &mut quiet()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_hub_is_the_same_hub_and_its_receipts_climb_to_the_backup_again() {
    let (field, team, mut member, shelf) = worked(2).await;
    let made = back_up(&field, shelf.path());
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("hub");
    backup::restore(&made.folder, &to, &mut quiet()).unwrap();
    let Field { folder: _old, world, running } = field;
    let before = (running.hub.fingerprint(), mark(&running.hub, team.scope));
    running.shutdown().await.unwrap();
    let config = Config { clock: world.hub_clock(), ..Config::new(&to, ([127, 0, 0, 1], 0).into()) };
    let running = Server::start(config).await.unwrap();
    assert_eq!((running.hub.fingerprint(), mark(&running.hub, team.scope)), before);
    let last = running.hub.log.last_backup().unwrap().unwrap();
    assert_eq!(last.changes, made.manifest.changes, "the backup it came from is its last one");

    // The phone had heard of no backup when the old hub went.
    member.link.point_to(running.addr);
    member.sync().await.unwrap();
    let status = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.on_phone, status.at_hub, status.in_backup), (0, 0, 5));
    member.visit(&team);
    member.sync().await.unwrap();
    let status = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.at_hub, status.in_backup), (2, 5));
    running.hub.back_up(shelf.path(), &mut quiet()).unwrap();
    member.sync().await.unwrap();
    let status = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.at_hub, status.in_backup), (0, 7));
}
