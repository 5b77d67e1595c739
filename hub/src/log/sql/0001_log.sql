-- The first schema of the log. What is counted per scope (positions, chain) changes only inside the transaction
-- that adds the change, so that commit order is position order on every engine: no sequence, no timestamp.
-- Tables of the first half are bound by scope and can be sharded by it; those of the second half are the
-- directory (who is who), small and the same for all shards.

CREATE TABLE scopes (
  scope      BLOB    NOT NULL PRIMARY KEY CHECK (length(scope) = 8), -- random, minted by the hub
  kind       INTEGER NOT NULL,            -- 1 team, 2 training, 3 place, 4 reference
  head       INTEGER NOT NULL DEFAULT 0,  -- position of the newest change; 0 = none yet
  chain      BLOB    NOT NULL CHECK (length(chain) = 8), -- over the keys up to head
  watermark  INTEGER NOT NULL DEFAULT 0,  -- position that a verified backup holds
  created_at INTEGER NOT NULL             -- ms UTC
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
  scope       BLOB    NOT NULL,
  position    INTEGER NOT NULL,           -- dense from 1 within the scope
  writer      BLOB    NOT NULL,           -- 8 bytes; with seq the change's key
  seq         INTEGER NOT NULL,
  chain       BLOB    NOT NULL,           -- 8 bytes over the keys up to here: any cursor is answered by one row
  received_at INTEGER NOT NULL,           -- ms UTC, hub time
  hash        BLOB    NOT NULL,           -- SHA-256 of the author's bytes; stays when bytes are stripped
  bytes       BLOB    NOT NULL,           -- as the author encoded them, never encoded again
  PRIMARY KEY (scope, position)
) STRICT, WITHOUT ROWID;

-- The same key never gets two positions, and "what does this phone hold" is answered without reading bytes.
CREATE UNIQUE INDEX changes_by_key ON changes (scope, writer, seq);

CREATE TABLE set_aside (
  set_aside_id INTEGER NOT NULL PRIMARY KEY,
  scope        BLOB    NOT NULL,          -- where the frame said it belongs
  writer       BLOB    NOT NULL,          -- 8 zero bytes when the bytes tell no key
  seq          INTEGER NOT NULL,          -- 0 when the bytes tell no key
  hash         BLOB    NOT NULL,          -- SHA-256 of bytes
  device       BLOB    NOT NULL,          -- who signed the frame
  reason       TEXT    NOT NULL,          -- open list, see Reason
  bytes        BLOB    NOT NULL,          -- as they came
  at           INTEGER NOT NULL,          -- ms UTC, first seen
  admitted_at  INTEGER,                   -- ms UTC; NULL while it waits for the lead
  reentered_at INTEGER,                   -- ms UTC, when a new change said the same; it never gets a position then
  decided_by   BLOB                       -- the lead's device; NULL = the operator, or nobody yet
) STRICT;

-- The same change sent again is the same entry.
CREATE UNIQUE INDEX set_aside_once ON set_aside (scope, writer, seq, hash);

-- What of a phone's own waits is told in every reply; almost always nothing.
CREATE INDEX set_aside_of_device ON set_aside (scope, device) WHERE admitted_at IS NULL;

CREATE TABLE collisions (
  scope  BLOB    NOT NULL,
  writer BLOB    NOT NULL,
  seq    INTEGER NOT NULL,
  hash   BLOB    NOT NULL,                -- of these bytes; the log holds the key with another hash
  device BLOB    NOT NULL,                -- who signed the frame
  bytes  BLOB    NOT NULL,
  at     INTEGER NOT NULL,                -- ms UTC, first seen
  reentered_at INTEGER,                   -- ms UTC, when a new change said the same; NULL while it waits
  decided_by   BLOB,                      -- the lead's device; NULL = the operator, or nobody yet
  PRIMARY KEY (scope, writer, seq, hash)
) STRICT, WITHOUT ROWID;

-- Computed figures. All cells of a scope are of one state, which projections tells.
CREATE TABLE cells (
  scope      BLOB    NOT NULL,            -- whose rows were counted
  unit       TEXT    NOT NULL,            -- of the rows' date, code and list version; '' for the whole scope
  period     TEXT    NOT NULL,            -- code of a period, such as 2026-M11 or 2026-Q4c15
  indicator  TEXT    NOT NULL,            -- code and version
  dims       TEXT    NOT NULL,            -- JSON object of further dimensions, keys sorted; '{}' when none
  value      INTEGER NOT NULL,            -- a count, or thousandths of an imported figure; a rate is two cells
  PRIMARY KEY (scope, indicator, period, unit, dims)
) STRICT, WITHOUT ROWID;

CREATE TABLE projections (
  scope    BLOB    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL,              -- cells are computed up to here; behind the head = dirty
  as_of    INTEGER,                       -- ms UTC, hub time of that position; NULL before the first change
  day      INTEGER NOT NULL,              -- days since 1970: states, such as what is overdue, are as on this day
  made_by  BLOB    NOT NULL               -- hash of views and indicators; cells of others are computed anew
) STRICT, WITHOUT ROWID;

-- The directory.

CREATE TABLE writers (
  writer   BLOB    NOT NULL PRIMARY KEY,  -- 8 random bytes of one process run
  scope    BLOB    NOT NULL,              -- the only scope it may write in
  device   BLOB    NOT NULL,              -- the only device that may use it
  bound_at INTEGER NOT NULL               -- ms UTC
) STRICT, WITHOUT ROWID;

CREATE TABLE teams (
  team       BLOB    NOT NULL PRIMARY KEY CHECK (length(team) = 12), -- the team's row in its scope
  scope      BLOB    NOT NULL UNIQUE,     -- its team scope
  training   BLOB    NOT NULL UNIQUE,     -- its training scope
  unit       TEXT    NOT NULL,            -- its commune when founded, code and list version
  name       TEXT    NOT NULL,            -- as in the decision
  created_at INTEGER NOT NULL             -- ms UTC
) STRICT, WITHOUT ROWID;

CREATE TABLE places (
  unit       TEXT    NOT NULL PRIMARY KEY, -- code and list version of the day it was made: bare codes are used again
  scope      BLOB    NOT NULL UNIQUE,
  created_at INTEGER NOT NULL              -- ms UTC
) STRICT, WITHOUT ROWID;

CREATE TABLE team_scopes (
  team       BLOB    NOT NULL,
  scope      BLOB    NOT NULL,             -- a scope that the team holds
  from_at    INTEGER NOT NULL,             -- ms UTC
  until_at   INTEGER,                      -- ms UTC; NULL = open
  PRIMARY KEY (team, scope, from_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE trainers (
  member BLOB NOT NULL,                    -- the trainer's member row
  team   BLOB NOT NULL,                    -- a team whose training scope the trainer reads and reviews
  PRIMARY KEY (member, team)
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
  device      BLOB    NOT NULL PRIMARY KEY CHECK (length(device) = 8), -- start of SHA-256 of the public key
  public_key  BLOB    NOT NULL CHECK (length(public_key) = 32),        -- Ed25519
  member      BLOB,                        -- the member's row; NULL for the hub itself
  team        BLOB,                        -- the team that enrolled it; NULL for the hub itself
  role        INTEGER NOT NULL,            -- a number of the list roles
  enrolled_at INTEGER NOT NULL,            -- ms UTC
  revoked_at  INTEGER,                     -- ms UTC; NULL = may sync
  left_at     INTEGER,                     -- ms UTC, when its member left that team; NULL = is in it
  own_row     BLOB                         -- its row in the team's scope; NULL for the hub itself
) STRICT, WITHOUT ROWID;

CREATE TABLE device_scopes (
  device   BLOB    NOT NULL,
  scope    BLOB    NOT NULL,
  role     INTEGER NOT NULL,               -- what the device may be in this scope
  from_at  INTEGER NOT NULL,               -- ms UTC
  until_at INTEGER,                        -- ms UTC; NULL = open
  PRIMARY KEY (device, scope, from_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE codes (
  secret_hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(secret_hash) = 32), -- SHA-256 of the 128-bit secret
  team           BLOB    NOT NULL,         -- the team it enrols into
  member         BLOB    NOT NULL,         -- the member row made with it
  role           INTEGER NOT NULL,         -- a number of the list roles
  created_at     INTEGER NOT NULL,         -- ms UTC
  expires_at     INTEGER NOT NULL,         -- ms UTC
  used_by        BLOB,                     -- the device that enrolled; NULL = unused
  used_at        INTEGER,                  -- ms UTC
  second_use_by  BLOB,                     -- the first other device that tried: shown to the lead
  second_used_at INTEGER                   -- ms UTC
) STRICT, WITHOUT ROWID;

CREATE TABLE unknown_scopes (
  scope BLOB NOT NULL PRIMARY KEY          -- named by a frame and never minted here; what it brought is set aside
) STRICT, WITHOUT ROWID;

CREATE TABLE refusals (
  reason TEXT    NOT NULL PRIMARY KEY,     -- forged, unknown_device, unreadable, too_large
  count  INTEGER NOT NULL,
  last_at INTEGER NOT NULL                 -- ms UTC
) STRICT, WITHOUT ROWID;

CREATE TABLE backups (
  at      INTEGER NOT NULL PRIMARY KEY,    -- ms UTC, hub time of the copy
  folder  TEXT    NOT NULL,                -- where it was put
  bytes   INTEGER NOT NULL,                -- of its files
  changes INTEGER NOT NULL                 -- how many it holds over all scopes
) STRICT;

CREATE TABLE damages (
  scope   BLOB    NOT NULL,                -- whose rows were not what the log comes to
  device  BLOB    NOT NULL,                -- on whose phone, or the hub's own for a replica here
  count   INTEGER NOT NULL,                -- how often
  last_at INTEGER NOT NULL,                -- ms UTC
  PRIMARY KEY (scope, device)
) STRICT, WITHOUT ROWID;
