//! What the phone asks next: which changes go out, which writers and marks are offered.

use std::collections::{BTreeMap, HashSet};

use langso_domain::id::{Key, ScopeId, Writer};

use super::budget::{Load, MARK_BYTES};
use super::phone::{Flight, Session};
use crate::chain::Cursor;
use crate::change;
use crate::digest::Digest;
use crate::frame::{FrameBuilder, learned_permille};
use crate::history::thin_marks;
use crate::keys::SigningKey;
use crate::wire::{Held, Hello, MAX_HELD, MAX_MARKS, Mark, Question, ReplyReader, write_request};

/// Where frames of one request are cut, so that a cut loses little: a quarter of the request, at least this.
const FRAME_BYTES: usize = 8 * 1024;
/// The most writers whose changes go out in one request; the rest of the list is for writers sent before.
const MAX_WRITERS: usize = MAX_HELD / 2;
/// What a writer costs in a hello and, once more, in its first change.
pub(super) const WRITER_BYTES: usize = 12;

impl Session {
    /// The next request's body. `held`: own writers with a change that has no position, or one above the cursor, in
    /// order of the outbox. `pending`: changes without a position, in order of the outbox, read only as far as they
    /// fit; what this session has sent already is passed over. `carried`: frames of others that the hub may have lost,
    /// by a name that [`Event::End`] gives back, as they were received; they go after all that is pending, as far as
    /// they fit, and one that is larger than the whole request goes alone. Keep [`Session::pace`] before sending.
    ///
    /// [`Event::End`]: super::Event::End
    pub fn request(
        &mut self,
        key: &SigningKey,
        held: &[Held],
        pending: impl IntoIterator<Item = (ScopeId, Vec<u8>)>,
        carried: impl IntoIterator<Item = (i64, Vec<u8>)>,
    ) -> Vec<u8> {
        let (load, hello) = self.load(key, held, pending, carried);
        let Load { frames, keys, carried, exhausted, skips } = load;
        let offered = std::mem::take(&mut self.digests);
        let body = write_request(key, &self.setup.nonce, &hello, &frames);
        self.setup.pace.sent();
        self.progress.up += body.len() as u64;
        self.progress.requests += 1;
        self.offered.extend(hello.held.iter().map(|held| held.writer));
        self.reader = ReplyReader::default();
        self.tracks.clear();
        self.events.clear();
        self.flight = Some(Flight {
            bytes: body.len(),
            question: Question::of(&body).unwrap_or_default(),
            down: self.progress.down,
            marked: self.marks.keys().copied().collect(),
            cursors: hello.cursors,
            held: hello.held,
            recalled: hello.recalled,
            keys,
            carried,
            exhausted,
            unserved: Vec::new(),
            compared: offered,
            news: !frames.is_empty(),
            brought: !frames.is_empty(),
            skips,
        });
        body
    }

    /// Packs what fits into so many bytes.
    pub(super) fn pack(
        &mut self,
        key: &SigningKey,
        size: usize,
        pending: impl IntoIterator<Item = (ScopeId, Vec<u8>)>,
        carried: impl IntoIterator<Item = (i64, Vec<u8>)>,
    ) -> Load {
        let (mut frames, keys, exhausted) = self.frames(key, size, pending);
        let (carried, all) = self.carry(size, carried, &mut frames);
        let exhausted = exhausted && all && self.too_long.is_empty();
        Load { frames, keys, carried, exhausted, skips: false }
    }

    /// What is said before frames with these own changes.
    pub(super) fn hello(&self, held: &[Held], keys: &[Key]) -> Hello {
        let mut hello = Hello::new(self.setup.schema, &self.setup.app);
        hello.cursors.clone_from(&self.setup.cursors);
        hello.held = self.held(held, keys);
        hello.max_frame = self.setup.max_frame;
        if self.fragile {
            hello.max_frame = hello.max_frame.min(self.setup.pace.safe_frame());
        }
        hello.marks = self.hello_marks();
        hello.landings = self.landings.told(&self.setup.cursors);
        let place = |scope| self.setup.cursors.iter().position(|(of, _)| *of == scope);
        let digests = self.digests.iter();
        hello.digests = digests.filter_map(|(scope, digest)| Some((place(*scope)?, *digest))).collect();
        hello
    }

    fn frames(
        &mut self,
        key: &SigningKey,
        size: usize,
        pending: impl IntoIterator<Item = (ScopeId, Vec<u8>)>,
    ) -> (Vec<Vec<u8>>, Vec<Key>, bool) {
        let frame_size = (size / 4).max(size.min(FRAME_BYTES));
        let mut open: Vec<FrameBuilder> = Vec::new();
        let (mut frames, mut keys, mut writers) = (Vec::new(), Vec::new(), HashSet::new());
        let mut built = 0;
        for (scope, bytes) in pending {
            // A change that its own author cannot read would be refused for ever.
            let Ok((head, _)) = change::scan(&bytes) else { continue };
            if self.sent.contains(&head.key) || self.too_long.contains(&head.key) {
                continue;
            }
            let under_way: usize = open.iter().map(FrameBuilder::estimated_bytes).sum();
            let this = bytes.len() * self.permille as usize / 1_000 + WRITER_BYTES;
            let full = built + under_way + writers.len() * WRITER_BYTES + this > size && !keys.is_empty();
            if full || writers.len() >= MAX_WRITERS {
                open.into_iter().for_each(|builder| self.seal(builder, key, &mut frames));
                return (frames, keys, false);
            }
            let at = open.iter().position(|builder| builder.scope() == scope);
            let fits = at.is_some_and(|at| open[at].push(&bytes).is_ok());
            if !fits {
                if let Some(at) = at {
                    let builder = open.remove(at);
                    self.seal(builder, key, &mut frames);
                    built = frames.iter().map(Vec::len).sum();
                }
                let mut builder = FrameBuilder::new(scope, self.setup.schema, frame_size)
                    .with_ratio(self.permille)
                    .packed(self.packs);
                // An empty frame takes any change that a frame can hold at all.
                if builder.push(&bytes).is_err() {
                    continue;
                }
                open.push(builder);
            }
            writers.insert(head.key.writer);
            keys.push(head.key);
        }
        open.into_iter().for_each(|builder| self.seal(builder, key, &mut frames));
        (frames, keys, true)
    }

    /// Adds others' frames as far as they fit; gives their names, and whether those are all.
    fn carry(
        &self,
        size: usize,
        carried: impl IntoIterator<Item = (i64, Vec<u8>)>,
        frames: &mut Vec<Vec<u8>>,
    ) -> (Vec<i64>, bool) {
        let mut names = Vec::new();
        let mut built: usize = frames.iter().map(Vec::len).sum();
        let mut all = true;
        for (name, frame) in carried {
            if self.carried.contains(&name) {
                continue;
            }
            // Nobody but the hub can cut its frame: one that is larger than the bytes left waits for a session with more.
            if frame.len() > self.left_bytes() {
                all = false;
                continue;
            }
            if built > 0 && built + frame.len() > size {
                return (names, false);
            }
            built += frame.len();
            frames.push(frame);
            names.push(name);
        }
        (names, all)
    }

    fn seal(&mut self, builder: FrameBuilder, key: &SigningKey, frames: &mut Vec<Vec<u8>>) {
        let raw = builder.raw_bytes();
        if let Some(frame) = builder.build(key) {
            self.permille = learned_permille(frame.len(), raw, self.permille);
            frames.push(frame);
        }
    }

    /// Writers of this request, those this session has offered before or was told to ask for, and after a cut or an unfinished session the
    /// first of the outbox: as many as the pace allows.
    fn held(&self, known: &[Held], keys: &[Key]) -> Vec<Held> {
        let mut sending: BTreeMap<Writer, u32> = BTreeMap::new();
        for key in keys {
            let upto = sending.entry(key.writer).or_default();
            *upto = key.seq.max(*upto);
        }
        let mut room = self.setup.pace.held_bytes() / WRITER_BYTES;
        let mut held = Vec::new();
        for offer in known {
            let sent = sending.get(&offer.writer).copied();
            let more = self.offered.contains(&offer.writer) || self.uncertain;
            if sent.is_none() && (!more || room == 0) {
                continue;
            }
            room = room.saturating_sub(1);
            let upto = sent.unwrap_or(0).max(offer.upto);
            sending.remove(&offer.writer);
            if held.len() + sending.len() < MAX_HELD {
                held.push(Held { writer: offer.writer, upto });
            }
        }
        held.extend(sending.into_iter().map(|(writer, upto)| Held { writer, upto }));
        held
    }

    fn hello_marks(&self) -> Vec<Mark> {
        let places = self.setup.cursors.iter().zip(0..);
        let lost = places.filter_map(|((scope, _), at)| Some((at, *scope, self.marks.get(scope)?)));
        let most = MAX_MARKS.min(self.left_bytes() / 4 / MARK_BYTES);
        let per_scope = (most / self.marks.len().max(1)).max(1);
        lost.flat_map(|(at, scope, marks)| {
            // The beginning is a mark that every hub knows.
            thin_marks(marks, per_scope - 1)
                .into_iter()
                .chain([Cursor::start(scope)])
                .map(move |cursor| (at, cursor))
        })
        .map(|(scope, cursor)| Mark { scope, cursor })
        .take(MAX_MARKS)
        .collect()
    }

    /// Digests of scopes as they are held now, to be compared in the next request, which follows at once: nothing of
    /// these scopes is unsent, and nothing may be taken in or written in between.
    pub fn offer_digests(&mut self, digests: Vec<(ScopeId, Digest)>) {
        self.digests = digests;
    }

    /// Own writers of which the hub is asked in every request, whether or not it carries changes of theirs: those of
    /// scopes that it no longer serves, where no frame tells what became of them.
    pub fn ask_for(&mut self, writers: impl IntoIterator<Item = Writer>) {
        self.offered.extend(writers);
    }

    /// Own writers, each once, of which receipts were lost and the changes too: the hub is asked where they are, below the
    /// cursor alone. No chain speaks of them.
    pub fn recall(&mut self, writers: Vec<Held>) {
        self.recalled = writers;
    }

    /// Those of which the hub has not been asked yet, or has not answered.
    pub fn recalled(&self) -> &[Held] {
        &self.recalled
    }

    /// Older cursors of a scope (ends of kept frames), newest first, for a hub that does not know the newest.
    pub fn offer_marks(&mut self, scope: ScopeId, marks: &[Cursor]) {
        self.marks.insert(scope, marks.to_vec());
    }
}
