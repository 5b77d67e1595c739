//! An upgrade on a disk that fails at any call: the file is the old one's or the new one's, and the next open ends it.

use langso_faults::{Disk, Fault};
use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::value::Value;

use crate::dump::dump;
use crate::history::{Step, add_scope, apply, live, replica};
use crate::newer::{ERRAND, HOUSEHOLD, WIFI, with_field_and_table};

#[test]
fn an_upgrade_that_a_fault_of_the_disk_ends_anywhere_is_whole_after_the_next_open() {
    let newer = with_field_and_table();
    let home = |n: i64| {
        let fields = vec![(1, Value::Text(format!("Hộ {n}"))), (WIFI, Value::Int(n % 4))];
        Step::Create { phone: 0, table: HOUSEHOLD, fields }
    };
    let errand = |_| Step::Create { phone: 1, table: ERRAND, fields: vec![(2, Value::from("pin"))] };
    let steps: Vec<Step> = (0..40).map(home).chain((0..20).map(errand)).collect();
    let history = live(newer, &steps);
    let template = tempfile::tempdir().expect("a folder");
    let mut old = Replica::open(&template.path().join("replica"), CURRENT, Purpose::Phone).expect("opens");
    add_scope(&mut old);
    apply(&mut old, &history);
    drop(old);
    let mut fresh = replica(newer, Purpose::Phone);
    apply(&mut fresh, &history);
    let fresh = dump(&fresh);
    let step = if std::env::var_os("LANGSO_LONG").is_some_and(|long| long == "1") { 1 } else { 3 };
    let mut cases = 0;
    for fault in Fault::ALL {
        let mut n = 1;
        loop {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("replica");
            std::fs::copy(template.path().join("replica"), &path).expect("copied");
            let disk = Disk::under(folder.path());
            disk.fail_at(n, fault);
            drop(Replica::open(&path, newer, Purpose::Phone));
            let has_failed = disk.has_failed();
            disk.mend();
            let upgraded = Replica::open(&path, newer, Purpose::Phone).expect("opens");
            let whole: String = upgraded
                .connection()
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .expect("checked");
            assert_eq!(whole, "ok", "{fault:?} at call {n}");
            assert_eq!(dump(&upgraded), fresh, "{fault:?} at call {n}");
            if !has_failed {
                break;
            }
            cases += 1;
            n += step;
        }
    }
    assert!(cases > 0);
    println!("resilience: disk_upgrade cases={cases} lost=0 seed=0");
}
