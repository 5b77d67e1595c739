//! Everything that phones ever saved, kept by the test itself: the phones may forget it, the hub must not.

use std::collections::BTreeMap;

use langso_domain::id::{Key, ScopeId};

use super::handset::rows_of;
use super::{Field, Handset, Team};

/// Every save by its key, with its scope and what its author encoded.
#[derive(Default)]
pub struct Ledger {
    written: BTreeMap<Key, (ScopeId, Vec<u8>)>,
}

impl Ledger {
    /// Writes down what a phone holds of its own.
    #[track_caller]
    pub fn note(&mut self, phone: &Handset) {
        for (scope, key, bytes) in phone.written() {
            let known = self.written.entry(key).or_insert_with(|| (scope, bytes.clone()));
            assert_eq!(known, &(scope, bytes), "{key:?} names two saves");
        }
    }

    /// How many saves there are.
    pub fn len(&self) -> usize {
        self.written.len()
    }

    /// The saves of a scope.
    pub fn keys(&self, scope: ScopeId) -> Vec<Key> {
        self.written.iter().filter(|(_, (of, _))| *of == scope).map(|(key, _)| *key).collect()
    }

    /// The hub holds every save of the team once, with its author's bytes; nothing waits or collides; and the phones, which
    /// have synced, hold what it holds.
    #[track_caller]
    pub fn is_whole(&self, field: &Field, team: &Team, phones: &mut [&mut Handset]) {
        for scope in [team.scope, team.training] {
            field.holds_once(scope, &self.keys(scope));
            assert_eq!(field.log().list_collisions(scope).unwrap(), []);
            assert_eq!(field.log().list_set_aside(scope).unwrap(), []);
            let mut after = 0;
            loop {
                let page = field.log().changes_after(scope, after, 1_000, 1 << 20).unwrap();
                let Some(last) = page.last() else { break };
                after = last.position;
                for stored in &page {
                    let Some((_, bytes)) = self.written.get(&stored.key) else { continue };
                    assert_eq!(&stored.bytes, bytes, "{:?} is not what its author encoded", stored.key);
                }
            }
            let at_hub = field.hub().replicas.with::<_, langso_hub::replica::Error>(scope, |replica, _| {
                Ok(rows_of(replica.connection(), Some(scope)))
            });
            let at_hub = at_hub.unwrap();
            for phone in phones.iter_mut() {
                phone.close();
                for (table, rows) in rows_of(&phone.read(), Some(scope)) {
                    assert!(rows == at_hub[table], "{table} of a phone differ from the hub's");
                }
            }
        }
        for phone in phones {
            let status = phone.app().sync().get_status(Default::default()).unwrap();
            assert_eq!((status.on_phone, status.void), (0, 0), "something still waits");
            let carried =
                "SELECT (SELECT count(*) FROM carried_frames) + (SELECT count(*) FROM carried_keys)";
            let carried: i64 = phone.read().query_row(carried, [], |row| row.get(0)).unwrap();
            assert_eq!(carried, 0, "something is still carried");
        }
    }
}
