-- What a replica needs to know about its rows. The rows themselves are in 0001_record.sql.

-- The scopes whose rows are here. Rows carry the number.
CREATE TABLE scopes (
    number   INTEGER PRIMARY KEY,
    scope    BLOB NOT NULL UNIQUE,            -- 8 bytes, minted by the hub
    kind     INTEGER NOT NULL,                -- 1 team, 2 training, 3 place, 4 reference
    position INTEGER NOT NULL DEFAULT 0,      -- all of the hub's log up to here has been applied
    chain    BLOB NOT NULL,                   -- the chain at that position, 8 bytes
    digest   BLOB                             -- over its rows, 16 bytes; NULL while it lags behind them
) STRICT;

-- Applied-memory: which changes of a writer have been taken in, so that hearing them again is free.
CREATE TABLE writers (
    writer  INTEGER PRIMARY KEY,              -- the 64 bits, read as a signed number
    scope   INTEGER NOT NULL,                 -- a writer is bound to one scope
    device  BLOB NOT NULL,                    -- and to one device
    upto    INTEGER NOT NULL,                 -- all from 1 to here
    beyond  BLOB,                             -- those above, as 4-byte pairs (first, last); NULL when none
    is_current INTEGER NOT NULL DEFAULT 0     -- 1 = this process writes by it: whatever it numbered is here
) STRICT;

-- Snapshots that are landing: the rows of their frames below next are in.
CREATE TABLE landings (
    scope    INTEGER PRIMARY KEY,             -- its number in scopes
    position INTEGER NOT NULL,                -- what the snapshot is of
    chain    BLOB NOT NULL,                   -- the chain at that position, 8 bytes
    next     INTEGER NOT NULL,                -- the next frame, from 0
    frames   INTEGER NOT NULL                 -- how many there are
) STRICT;

-- The writers of such a snapshot, by the number that its rows know them by, and what its maker had applied of them:
-- that becomes true here with the last frame.
CREATE TABLE landing_writers (
    scope   INTEGER NOT NULL,
    number  INTEGER NOT NULL,                 -- its place in the snapshot's list, from 0
    writer  INTEGER NOT NULL,                 -- the 64 bits, read as a signed number
    device  BLOB,                             -- NULL = nothing was applied, only rows are known
    upto    INTEGER NOT NULL,                 -- as in writers
    beyond  BLOB,                             -- as in writers
    PRIMARY KEY (scope, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX landing_writer ON landing_writers (scope, writer);

-- Rows that remember a name whose change has not come yet.
CREATE TABLE awaited (
    key         BLOB NOT NULL,                -- 11 bytes
    table_number INTEGER NOT NULL,
    row         BLOB NOT NULL,
    PRIMARY KEY (key, table_number, row)
) STRICT, WITHOUT ROWID;

-- Patches of a row whose create has not come, out of another scope than the first one heard of it.
CREATE TABLE strays (
    table_number INTEGER NOT NULL,
    row          BLOB NOT NULL,
    key          BLOB NOT NULL,               -- the change it is part of, 11 bytes
    scope        INTEGER NOT NULL,
    change       BLOB NOT NULL,               -- the patch as a change of one row
    PRIMARY KEY (table_number, row, key)
) STRICT, WITHOUT ROWID;

-- Fields with heads that do not show: two versions, or an edit after removal (field 0).
CREATE TABLE shelf (
    table_number INTEGER NOT NULL,
    row          BLOB NOT NULL,
    field        INTEGER NOT NULL,
    scope        INTEGER NOT NULL,
    PRIMARY KEY (table_number, row, field)
) STRICT, WITHOUT ROWID;

-- Rows of tables that this schema does not know: kept whole for the day it does.
CREATE TABLE unknown_rows (
    table_number INTEGER NOT NULL,
    id           BLOB NOT NULL,
    scope        INTEGER NOT NULL,
    v_stamp      INTEGER NOT NULL,
    v_more       BLOB,
    PRIMARY KEY (table_number, id)
) STRICT, WITHOUT ROWID;

-- Search over folded text: our own folding, since SQLite's own misses đ. Folded words are apart by single spaces and
-- hold no other ASCII than letters and digits, so the simplest tokenizer cuts them as we do, in every script.
-- The row number is made from the id.
CREATE VIRTUAL TABLE search USING fts5(
    folded,                                   -- label and hint of a household, or name and number of a contact
    household UNINDEXED,                      -- whom it leads to
    detail = none,
    columnsize = 0,
    prefix = '1 2 3',
    tokenize = 'ascii'
);
