-- What a phone keeps beside the rows of its replica. Nothing of it travels but the outbox.

-- Facts about this phone, by name: who it is, where its hub is, what the clock last said.
CREATE TABLE phone_facts (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- Every change this phone wrote, as its author's bytes, until it lies below the prune line.
CREATE TABLE outbox (
    n      INTEGER PRIMARY KEY,              -- in the order of writing
    scope  INTEGER NOT NULL,                 -- its number in scopes
    bytes  BLOB NOT NULL,
    sum    BLOB NOT NULL                     -- as of its record in the journal: a damaged row is never signed
) STRICT;

-- The positions that the hub gave to own changes: ranges of one writer.
CREATE TABLE receipts (
    writer    INTEGER NOT NULL,              -- the 64 bits, read as a signed number
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    scope     INTEGER NOT NULL,
    position  INTEGER NOT NULL,              -- of first_seq; the others follow without holes
    -- Differs when any bit of the row has changed since it was written: a damaged receipt is none.
    sum       INTEGER GENERATED ALWAYS AS
              (writer % 1000003 + 3 * first_seq + 5 * last_seq + 7 * scope + 11 * position) STORED,
    PRIMARY KEY (writer, first_seq)
) STRICT, WITHOUT ROWID;

-- Positions of a history that the hub no longer has: shown as void until it gives new ones. Never of a change that is
-- in receipts.
CREATE TABLE void_receipts (
    writer    INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    scope     INTEGER NOT NULL,
    position  INTEGER NOT NULL,              -- what the hub once gave to first_seq
    PRIMARY KEY (writer, first_seq)
) STRICT, WITHOUT ROWID;

-- Where this phone has stood in the hub's history: ends of kept frames and of replies, from the newest at or below the
-- prune line on. Offered to a hub that does not know the cursor.
CREATE TABLE marks (
    scope    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    chain    BLOB NOT NULL,                  -- 8 bytes
    PRIMARY KEY (scope, position)
) STRICT, WITHOUT ROWID;

-- Frames as received, above the prune line: what is offered again still carries its signature.
CREATE TABLE kept_frames (
    scope INTEGER NOT NULL,
    first INTEGER NOT NULL,                  -- position of its first change; below 0 when a snapshot brought it back
    last  INTEGER NOT NULL,                  -- and of its last; of that snapshot
    bytes BLOB NOT NULL,
    PRIMARY KEY (scope, first)
) STRICT;

-- Frames as received of a history that the hub no longer has: offered to it again, until everything in them has come
-- back in frames of its new history.
CREATE TABLE carried_frames (
    name     INTEGER PRIMARY KEY,
    scope    INTEGER NOT NULL,
    bytes    BLOB NOT NULL,
    taken_at INTEGER                         -- when a request with it last came to its end, ms hub time; NULL = never
) STRICT;

-- The changes in them that have not come back.
CREATE TABLE carried_keys (
    key  BLOB NOT NULL,                      -- 11 bytes
    name INTEGER NOT NULL,                   -- of the frame
    PRIMARY KEY (key, name)
) STRICT, WITHOUT ROWID;

-- Changes below the prune line that say why something was corrected: that is said of a save and stands in no row.
CREATE TABLE reasons (
    key   BLOB PRIMARY KEY,                  -- 11 bytes
    scope INTEGER NOT NULL,
    bytes BLOB NOT NULL                      -- as its author encoded it
) STRICT, WITHOUT ROWID;

-- Saves that came with a token: a second tap gives the first one's answer.
CREATE TABLE saved_once (
    token  TEXT PRIMARY KEY,
    answer TEXT NOT NULL                     -- JSON
) STRICT, WITHOUT ROWID;

-- Forms and checklist runs being filled in: on this phone only, never sent.
CREATE TABLE drafts (
    draft_id   TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,                -- visit, household, checklist_run
    body       TEXT NOT NULL,                -- JSON
    consent_id BLOB,                         -- it dies with this consent
    begun_at   INTEGER NOT NULL,             -- the first key, ms UTC
    changed_at INTEGER NOT NULL              -- the last one, ms UTC
) STRICT, WITHOUT ROWID;

-- Own work that the hub has set aside, until the lead admits it.
CREATE TABLE set_aside_notices (
    key    BLOB PRIMARY KEY,                 -- 11 bytes
    reason INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Households that the lead was asked about and found not to be the same; on this phone only.
CREATE TABLE dismissed_pairs (
    one   BLOB NOT NULL,                     -- the smaller id
    other BLOB NOT NULL,
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;

-- Rows that were joined are few: what shows for a row is found without reading the others.
CREATE INDEX households_merged ON households (merged_with) WHERE merged_with IS NOT NULL;
CREATE INDEX persons_merged ON persons (merged_with) WHERE merged_with IS NOT NULL;
