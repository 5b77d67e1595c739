//! Phones that are new or far behind land a snapshot: at once, in pieces, over restarts, and with work of their own.

use std::collections::BTreeSet;
use std::path::Path;

use langso_device::AppError;
use langso_device::companion::Nothing;
use langso_domain::id::{Key, RowId};
use langso_domain::registry::Role;
use langso_store::find_households;
use langso_sync::state::StateFrame;
use rusqlite::{Connection, OpenFlags};

use crate::field::link::{Break, Link};
use crate::field::{Field, Handset, Team, said};

/// Rows of one save.
const ROWS: usize = 200;
/// Saves of a book that takes several frames.
const SAVES: usize = 12;

/// A book that takes several frames.
fn write_book(phone: &mut Handset, saves: usize) -> Vec<RowId> {
    let mut rows = Vec::new();
    for save in 0..saves {
        rows.extend(phone.save(|saving| {
            (0..ROWS)
                .map(|row| {
                    let number = save * ROWS + row + 1;
                    let hint =
                        format!("qua cầu treo, nhà sàn thứ {number} bên trái đường lên bản, cạnh trường");
                    let label = format!("Hộ {number}");
                    saving.create(
                        "household",
                        [("label", label.as_str().into()), ("hint", hint.as_str().into())],
                    )
                })
                .collect::<Result<Vec<_>, _>>()
        }));
    }
    rows
}

fn make_snapshot(field: &Field, team: &Team) -> u32 {
    let hub = field.hub();
    assert!(hub.snapshots.make(&hub.replicas, team.scope, true).unwrap());
    hub.snapshots.of(team.scope).unwrap()[0].frames()
}

/// The state frames that the link has passed whole since the last look.
fn states(link: &Link) -> Vec<StateFrame> {
    link.take_exchanges().iter().flat_map(|exchange| exchange.states()).collect()
}

/// The next frame of the snapshot that lands in the phone's file, none when none does; and how far the scope is.
fn stand(file: &Path, team: &Team) -> (Option<u32>, u64) {
    let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "SELECT l.next, s.position FROM scopes AS s LEFT JOIN landings AS l ON l.scope = s.number
               WHERE s.scope = ?1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64));
    file.query_row(sql, [team.scope.0], read).unwrap()
}

fn next_frame(phone: &Handset, team: &Team) -> Option<u32> {
    stand(&phone.file(), team).0
}

fn position(phone: &Handset, team: &Team) -> u64 {
    stand(&phone.file(), team).1
}

/// Syncs until the line is held after so many bytes down, in which some frame comes whole, and is killed when that has
/// been taken in; true when the sync came to its end before.
async fn sync_and_kill(phone: &mut Handset, team: &Team, bytes: usize) -> bool {
    let (link, file) = (phone.link.clone(), phone.file());
    let before = stand(&file, team);
    link.hold_at(Break::Down(bytes));
    let taken_in = async {
        link.held().await;
        while stand(&file, team) == before {
            tokio::task::yield_now().await;
        }
    };
    let is_done = tokio::select! {
        done = phone.sync() => {
            done.unwrap();
            true
        }
        () = taken_in => false,
    };
    phone.close();
    link.release();
    link.break_at(Break::Never);
    is_done
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_phone_lands_the_snapshot_and_the_changes_after_it() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut old = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    old.sync().await.unwrap();
    write_book(&mut old, SAVES);
    old.sync().await.unwrap();
    let frames = make_snapshot(&field, &team);
    assert!(frames > 3, "{frames} frames");
    old.household("Hộ sau");
    old.sync().await.unwrap();

    let mut new = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    new.sync().await.unwrap();
    let exchanges = new.link.take_exchanges();
    let states: Vec<_> = exchanges.iter().flat_map(|exchange| exchange.states()).collect();
    assert_eq!(
        states.iter().map(|frame| frame.header.index).collect::<Vec<_>>(),
        (0..frames).collect::<Vec<_>>()
    );
    let of = states[0].header.of.position;
    let served = exchanges.iter().flat_map(|exchange| exchange.served());
    for frame in served.filter(|frame| frame.header.scope == team.scope) {
        assert!(frame.changes().all(|change| change.position > Some(of)), "a change came twice");
    }
    old.sync().await.unwrap();
    assert!(new.rows() == old.rows(), "the phones of a team differ");
    assert_eq!(new.count("households"), (SAVES * ROWS) as i64 + 1);
    for (query, label) in [("Hộ 1777", "ho 1777"), ("hộ sau", "ho sau")] {
        let hits = find_households(&new.read(), query, 9).unwrap();
        assert!(hits.first().is_some_and(|hit| hit.folded.starts_with(label)), "{query}: {hits:?}");
    }
    // It goes on as any other phone: nothing comes again, and what it writes arrives.
    new.sync().await.unwrap();
    assert!(states_none(&new.link));
    new.visit(&team);
    new.sync().await.unwrap();
    let written = new.written();
    field.holds_once(team.scope, written.iter().filter(|one| one.0 == team.scope).map(|one| &one.1));
    old.sync().await.unwrap();
    assert!(new.rows() == old.rows());
}

fn states_none(link: &Link) -> bool {
    states(link).is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_landing_killed_after_every_frame_goes_on_there_and_shows_its_rows_meanwhile() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut old = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    old.sync().await.unwrap();
    write_book(&mut old, SAVES);
    old.sync().await.unwrap();
    let frames = make_snapshot(&field, &team);

    let mut new = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    let (mut shown, mut kills, mut next) = (0, 0, 0);
    let mut came = BTreeSet::new();
    // One frame with what stands around it, of which the longest comes whole.
    let one_frame = field.hub().snapshots.of(team.scope).unwrap()[0].longest + 600;
    loop {
        let is_done = sync_and_kill(&mut new, &team, one_frame).await;
        let states = states(&new.link);
        assert!(states.first().is_none_or(|frame| frame.header.index == next), "it goes on where it stood");
        came.extend(states.iter().map(|frame| frame.header.index));
        if is_done {
            break;
        }
        kills += 1;
        assert!(kills < 200, "no progress");
        if let Some(stands) = next_frame(&new, &team) {
            assert_eq!(position(&new, &team), 0, "the cursor waits for the last frame");
            assert!(stands >= next && came.len() >= stands as usize);
            next = stands;
        } else if next > 0 {
            assert!(position(&new, &team) > 0, "it is whole");
            next = 0;
        }
        let now = new.count("households");
        assert!(now >= shown, "rows that showed are gone");
        shown = now;
        // What is here can be worked with: found, edited, and beside it something new.
        if kills % 2 == 0 && shown > 0 {
            let sql = "SELECT id FROM households WHERE v_stamp > 0 ORDER BY random() LIMIT 1";
            let id = RowId(new.read().query_row(sql, [], |row| row.get(0)).unwrap());
            new.save(|saving| saving.patch("household", id, [("poverty", 2u8.into())]));
            new.household("Hộ mới");
        }
    }
    assert!(kills > frames / 2, "killed {kills} times only for {frames} frames");
    assert!(shown > 0, "rows show while it lands");
    assert_eq!(came, (0..frames).collect(), "every frame came");
    let status = new.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!(status.on_phone, 0);
    old.sync().await.unwrap();
    new.sync().await.unwrap();
    assert!(new.rows() == old.rows(), "the phones of a team differ");
    let shelf: i64 = new.read().query_row("SELECT count(*) FROM shelf", [], |row| row.get(0)).unwrap();
    assert_eq!(shelf, 0, "an edit of a row that has landed saw what it overwrote");
    let written: Vec<Key> =
        new.written().into_iter().filter(|one| one.0 == team.scope).map(|one| one.1).collect();
    field.holds_once(team.scope, &written);
    said("line-landing", kills as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_too_far_behind_lands_a_snapshot_and_still_sends_all_it_wrote() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut busy = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut late = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    busy.sync().await.unwrap();
    let rows = write_book(&mut busy, 1);
    busy.sync().await.unwrap();
    late.sync().await.unwrap();
    assert_eq!(late.count("households"), ROWS as i64);
    let stood = position(&late, &team);
    // The one writes the same rows over and over, the other edits some of them and does not get through.
    for round in 0..30u8 {
        busy.save(|saving| {
            rows.iter().try_for_each(|id| saving.patch("household", *id, [("poverty", (round % 3).into())]))
        });
    }
    busy.sync().await.unwrap();
    for id in &rows[..5] {
        late.save(|saving| saving.patch("household", *id, [("poverty", 9u8.into())]));
    }
    late.household("Hộ muộn");
    late.visit(&team);
    make_snapshot(&field, &team);
    busy.household("Hộ sau");
    busy.sync().await.unwrap();
    let waiting = late.app().sync().get_status(Nothing {}).unwrap().on_phone;
    assert!(waiting >= 7);

    late.link.take_exchanges();
    late.sync().await.unwrap();
    let states = states(&late.link);
    assert!(states.iter().any(|frame| frame.header.scope == team.scope), "no snapshot was served");
    assert!(states[0].header.of.position > stood);
    let status = late.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!(status.on_phone, 0, "all it wrote has arrived");
    let written = late.written();
    field.holds_once(team.scope, written.iter().filter(|one| one.0 == team.scope).map(|one| &one.1));
    busy.sync().await.unwrap();
    late.sync().await.unwrap();
    assert!(busy.rows() == late.rows(), "the phones of a team differ");
    let shelf = |phone: &Handset| -> i64 {
        phone.read().query_row("SELECT count(*) FROM shelf", [], |row| row.get(0)).unwrap()
    };
    assert_eq!((shelf(&late), shelf(&busy)), (5, 5), "what was written on both sides goes to the lead");

    // And a phone that is new after that lands the conflicts too.
    make_snapshot(&field, &team);
    let mut new = field.phone(&team, "Lò Thị Mẩy", Role::Member).await;
    new.sync().await.unwrap();
    late.sync().await.unwrap();
    assert_eq!(shelf(&new), 5);
    assert!(new.rows() == late.rows());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_snapshot_does_not_disturb_one_that_lands_and_the_next_but_one_takes_its_place() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut old = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    old.sync().await.unwrap();
    let rows = write_book(&mut old, SAVES);
    old.sync().await.unwrap();
    make_snapshot(&field, &team);
    let first = field.hub().snapshots.of(team.scope).unwrap()[0].of;

    for newer in 1..=2 {
        let mut new = field.phone(&team, "Tằng Dảu Sồi", Role::Member).await;
        assert!(!sync_and_kill(&mut new, &team, 9_000).await);
        let stood = next_frame(&new, &team).expect("it lands");
        assert!(stood > 0);
        new.link.take_exchanges();
        for round in 0..newer {
            old.save(|saving| {
                rows[..50]
                    .iter()
                    .try_for_each(|id| saving.patch("household", *id, [("poverty", (round as u8).into())]))
            });
            old.sync().await.unwrap();
            make_snapshot(&field, &team);
        }
        new.sync().await.unwrap();
        let states = states(&new.link);
        let is_same = states[0].header.of == first;
        assert_eq!(is_same, newer == 1, "the last snapshot but one is kept, others are not");
        assert_eq!(states[0].header.index, if is_same { stood } else { 0 });
        old.sync().await.unwrap();
        new.sync().await.unwrap();
        assert!(new.rows() == old.rows(), "the phones of a team differ");
        assert_eq!(next_frame(&new, &team), None);
        if newer == 1 {
            // The first of the next turn is the newest again.
            make_snapshot(&field, &team);
            let all = field.hub().snapshots.of(team.scope).unwrap();
            assert_eq!(all.len(), 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_files_that_are_damaged_or_gone_are_made_anew_and_nothing_else_depends_on_them() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut old = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    old.sync().await.unwrap();
    write_book(&mut old, 2);
    old.sync().await.unwrap();
    make_snapshot(&field, &team);
    let folder = field.hub().folder.join("snapshots");
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    }
    let field = field.restart().await;
    assert!(field.hub().snapshots.of(team.scope).unwrap().is_empty());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "what is of no use goes");
    let mut new = field.phone(&team, "Tằng Dảu Sồi", Role::Member).await;
    new.sync().await.unwrap();
    assert!(states_none(&new.link), "the log serves as well");
    old.link.point_to(field.running.addr);
    old.sync().await.unwrap();
    assert!(new.rows() == old.rows());
    make_snapshot(&field, &team);
    let mut newest = field.phone(&team, "Lò Thị Mẩy", Role::Member).await;
    newest.sync().await.unwrap();
    assert!(!states(&newest.link).is_empty());
    old.sync().await.unwrap();
    assert!(newest.rows() == old.rows());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_whose_rows_are_damaged_is_mended_by_the_snapshot_and_the_changes_after_it() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    write_book(&mut phone, 2);
    phone.sync().await.unwrap();
    make_snapshot(&field, &team);
    phone.visit(&team);
    phone.sync().await.unwrap();
    let before = phone.rows();
    let file = Connection::open(phone.file()).unwrap();
    file.execute("UPDATE households SET label = 'hỏng'", []).unwrap();
    file.execute("UPDATE scopes SET digest = NULL", []).unwrap();
    drop(file);
    phone.link.take_exchanges();
    phone.sync().await.unwrap();
    assert!(!states(&phone.link).is_empty(), "it fetches the snapshot");
    assert!(phone.rows() == before);
    assert_eq!(next_frame(&phone, &team), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_nobody_is_served_holds_no_file_open() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut old = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    old.sync().await.unwrap();
    write_book(&mut old, 1);
    old.sync().await.unwrap();
    make_snapshot(&field, &team);
    let known = field.hub().snapshots.of(team.scope).unwrap();
    let folder = field.hub().folder.join("snapshots");
    let open = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        files
            .filter_map(|file| std::fs::read_link(file.path()).ok())
            .filter(|to| to.starts_with(&folder))
            .count()
    };
    assert_eq!((known.len(), open()), (1, 0));
    let served = known[0].open_frames().unwrap();
    assert_eq!(open(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(
        served.get(0).unwrap().len(),
        known[0].length(0).unwrap(),
        "what is being served stays readable"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_landing_that_the_frames_no_longer_fit_is_given_up_and_begun_anew() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut old = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    old.sync().await.unwrap();
    write_book(&mut old, SAVES);
    old.sync().await.unwrap();
    make_snapshot(&field, &team);
    let mut new = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    assert!(!sync_and_kill(&mut new, &team, 9_000).await);
    assert!(next_frame(&new, &team).is_some_and(|next| next > 0));
    // As when the hub made the snapshot of that position anew, with another number of frames.
    let file = Connection::open(new.file()).unwrap();
    assert_eq!(file.execute("UPDATE landings SET frames = frames + 1", []).unwrap(), 1);
    drop(file);
    assert_eq!(new.sync().await.unwrap_err(), AppError::Offline { why: "cut".to_owned() });
    assert_eq!(next_frame(&new, &team), None);
    new.sync().await.unwrap();
    old.sync().await.unwrap();
    assert!(new.rows() == old.rows(), "the phones of a team differ");
}
