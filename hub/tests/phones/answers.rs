//! Answers that no hub of ours would give: each has its own error, changes nothing on the phone, and the next sync with
//! the hub brings everything.

use std::sync::Arc;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use langso_device::AppError;
use langso_domain::id::{Key, ScopeId, Writer};
use langso_domain::registry::Role;
use langso_hub::server::Hub;
use langso_sync::chain::{Chain, Cursor};
use langso_sync::frame::{FrameBuilder, KIND_CHANGES, LABEL, MAGIC, OVERHEAD_BYTES, VERSION};
use langso_sync::keys::SigningKey;
use langso_sync::wire::{Ended, Nonce, Question, Range, ReplyHead, ScopeReceipts};

use crate::field::{Field, Handset, Team};

fn http(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn offline(why: &str) -> AppError {
    AppError::Offline { why: why.to_owned() }
}

/// Everything of a phone that a bad answer could touch.
fn holdings(phone: &mut Handset) -> (crate::field::handset::Rows, Vec<Cursor>, u64, u64) {
    let status = phone.app().sync().get_status(Default::default()).unwrap();
    let sql = "SELECT position, chain FROM scopes ORDER BY number";
    let file = phone.read();
    let mut get = file.prepare(sql).unwrap();
    let cursors = get.query_map([], |row| {
        Ok(Cursor { position: row.get::<_, i64>(0)? as u64, chain: Chain(row.get(1)?) })
    });
    let cursors = cursors.unwrap().map(|cursor| cursor.unwrap()).collect();
    (phone.rows(), cursors, status.on_phone, status.at_hub)
}

fn cursor(phone: &Handset, scope: ScopeId) -> Cursor {
    let sql = "SELECT position, chain FROM scopes WHERE scope = ?1";
    let cursor = phone.read().query_row(sql, [scope.0], |row| {
        Ok(Cursor { position: row.get::<_, i64>(0)? as u64, chain: Chain(row.get(1)?) })
    });
    cursor.unwrap()
}

/// What a forger may have: the phone's last cursor, and changes of the team.
#[derive(Clone)]
struct Forger {
    hub: Arc<Hub>,
    change: Vec<u8>,
    key: Key,
    cursor: Cursor,
    scope: ScopeId,
}

impl Forger {
    fn hub_key(&self) -> &SigningKey {
        &self.hub.keys.signing
    }

    /// A frame at that position, signed by that key.
    fn frame(&self, signer: &SigningKey, scope: ScopeId, position: u64, before: Chain) -> Vec<u8> {
        let mut builder = FrameBuilder::new(scope, 1, usize::MAX);
        builder.push_served(&self.change, self.key, signer.id(), position, before).unwrap();
        builder.build(signer).unwrap()
    }

    /// The next frame, as the hub would sign it.
    fn next(&self) -> Vec<u8> {
        self.frame(self.hub_key(), self.scope, self.cursor.position + 1, self.cursor.chain)
    }

    fn around(&self, deflated: &[u8], version: u8) -> Vec<u8> {
        let mut frame = [&MAGIC[..], &[version, KIND_CHANGES], &self.hub_key().id().0].concat();
        frame.extend((deflated.len() as u32).to_be_bytes());
        frame.extend(deflated);
        let signature = self.hub_key().sign(LABEL, &[&frame]);
        frame.extend(signature);
        frame
    }
}

fn head(question: Question) -> ReplyHead {
    ReplyHead { hub_time_ms: 1, nonce: Nonce::default(), question, ..ReplyHead::default() }
}

/// Every bad answer, with its error.
fn bad_answers(forger: &Forger, question: Question) -> Vec<(&'static str, Vec<u8>, AppError)> {
    let head = || head(question);
    let reply = |parts: &[&[u8]]| {
        http("200 OK", &[&head().encode(), parts.concat().as_slice(), &Ended::default().encode()].concat())
    };
    let stranger = SigningKey::from_seed(&[77; 32]);
    let Cursor { position, chain } = forger.cursor;
    let good = forger.next();
    let mut forged = good.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let mut truncated = good.clone();
    truncated.truncate(good.len() - 1);
    let mut claim = good.clone();
    claim[12..16].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut bomb = DeflateEncoder::new(Vec::new(), Compression::best());
    (0..64).for_each(|_| std::io::Write::write_all(&mut bomb, &vec![0; 1 << 20]).unwrap());
    let body = &good[OVERHEAD_BYTES - 64..good.len() - 64];
    let elsewhere = ScopeId(*b"not ours");
    let foreign = forger.frame(forger.hub_key(), elsewhere, 1, Chain::start(elsewhere));
    let ranges = vec![Range { position: position + 1, held: 900, first: 1, n: 1 }];
    let receipts = ReplyHead { receipts: vec![ScopeReceipts { scope: 0, ranges }], ..head() };
    let cursors = vec![(forger.scope, Cursor { position: position + 5, chain: Chain([9; 8]) })];
    let ended = Ended { cursors, more: false };
    vec![
        ("a page of somebody's network", http("200 OK", b"<html>Wifi free"), offline("not_a_hub")),
        ("a proxy's error", http("502 Bad Gateway", b"<html>nginx"), offline("not_a_hub")),
        ("a frame that was forged", reply(&[&forged]), offline("hub_unknown")),
        (
            "a frame of another key",
            reply(&[&forger.frame(&stranger, forger.scope, position + 1, chain)]),
            offline("hub_unknown"),
        ),
        ("a frame of a later version", reply(&[&forger.around(body, VERSION + 1)]), offline("not_a_hub")),
        ("a frame cut short", reply(&[&truncated]), offline("hub_unknown")),
        ("four gigabytes claimed", reply(&[&claim]), offline("not_a_hub")),
        (
            "a body that inflates without end",
            reply(&[&forger.around(&bomb.finish().unwrap(), VERSION)]),
            offline("not_a_hub"),
        ),
        (
            "a body that is no deflate",
            reply(&[&forger.around(b"nothing like it", VERSION)]),
            offline("not_a_hub"),
        ),
        ("a frame of another scope", reply(&[&foreign]), offline("not_a_hub")),
        (
            "a frame that came before",
            reply(&[&forger.frame(forger.hub_key(), forger.scope, position, chain)]),
            offline("other_history"),
        ),
        (
            "a frame after a hole",
            reply(&[&forger.frame(forger.hub_key(), forger.scope, position + 2, chain)]),
            offline("other_history"),
        ),
        (
            "a frame of another history",
            reply(&[&forger.frame(forger.hub_key(), forger.scope, position + 1, Chain([1; 8]))]),
            offline("other_history"),
        ),
        ("receipts that nobody asked for", http("200 OK", &receipts.encode()), offline("not_a_hub")),
        (
            "a cursor out of the air",
            http("200 OK", &[head().encode(), ended.encode()].concat()),
            offline("other_history"),
        ),
    ]
}

async fn team_of_two(field: &Field) -> (Team, Handset, Handset) {
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut other = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    phone.sync().await.unwrap();
    other.household("Hộ 12");
    other.sync().await.unwrap();
    phone.sync().await.unwrap();
    (team, phone, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_no_hub_gives_has_its_own_error_and_changes_nothing() {
    let field = Field::start().await;
    let (team, mut phone, other) = team_of_two(&field).await;
    phone.close();
    phone.link.buffer_bodies();
    phone.household("Hộ 13");
    let mut change = langso_sync::change::Change::decode(&other.written()[0].2).unwrap();
    change.key = Key { writer: Writer(4_711), seq: 1 };
    let forger = Forger {
        hub: field.hub().clone(),
        key: change.key,
        change: change.encode(),
        cursor: cursor(&phone, team.scope),
        scope: team.scope,
    };
    let before = holdings(&mut phone);
    assert_eq!((before.2, before.3), (1, 0));
    for (at, (what, _, error)) in bad_answers(&forger, Question::default()).into_iter().enumerate() {
        let forger = forger.clone();
        phone.link.answer_by(move |question| bad_answers(&forger, question).remove(at).1);
        assert_eq!(phone.sync().await, Err(error), "{what}");
        assert!(holdings(&mut phone) == before, "{what} has changed something");
    }
    phone.sync().await.unwrap();
    field.holds_once(team.scope, &phone.written_keys());
    assert_eq!(holdings(&mut phone).2, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_or_says_nothing_is_asked_for_again_at_once() {
    let field = Field::start().await;
    let (team, mut phone, _other) = team_of_two(&field).await;
    phone.close();
    phone.link.buffer_bodies();
    let redirect = http("302 Found\r\nlocation: http://127.0.0.1:1", b"");
    let half = http("200 OK", &head(Question::default()).encode()[..9]);
    for answer in [redirect, half, vec![0xA5; 4_000], b"HTTP/1.1 200 OK\r\n".to_vec(), Vec::new()] {
        phone.household("Hộ 13");
        phone.link.answer_next(answer);
        assert_eq!(phone.sync().await.unwrap().waiting, 0);
    }
    field.holds_once(team.scope, &phone.written_keys());
}
