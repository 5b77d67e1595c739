-- The reference: the tables of a team's book as a careful hand would write them for one phone alone. The same keys,
-- columns, index and search; no versions, no outbox, no journal, no scopes. A test holds columns and indexes against
-- the replica's.

CREATE TABLE households (
    id BLOB PRIMARY KEY, void INTEGER, label TEXT, hamlet_id BLOB, poverty INTEGER, hint TEXT, merged_with BLOB,
    moved_to BLOB, copied_from BLOB, rights_code BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE persons (
    id BLOB PRIMARY KEY, void INTEGER, household_id BLOB, band INTEGER, birth_year INTEGER, sex INTEGER,
    phone_kind INTEGER, nfc INTEGER, own_sim INTEGER, merged_with BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
    id BLOB PRIMARY KEY, void INTEGER, household_id BLOB, text TEXT, way INTEGER, asked_by BLOB, date INTEGER,
    purposes INTEGER, withdrawn_on INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    id BLOB PRIMARY KEY, void INTEGER, consent_id BLOB, household_id BLOB, person_id BLOB, display_name TEXT,
    phone TEXT, expires_on INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE visits (
    id BLOB PRIMARY KEY, void INTEGER, household_id BLOB, hamlet_id BLOB, unit TEXT, date INTEGER,
    start_minute INTEGER, end_minute INTEGER, place INTEGER, language INTEGER, signal INTEGER, members BLOB,
    plan_id BLOB, note TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE service_rows (
    id BLOB PRIMARY KEY, void INTEGER, visit_id BLOB, person_id BLOB, service TEXT, outcome INTEGER, failure INTEGER,
    evidence INTEGER, last_step INTEGER, tutorial TEXT, run_id BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX service_rows_of_visit ON service_rows(visit_id);

CREATE TABLE follow_ups (
    id BLOB PRIMARY KEY, void INTEGER, visit_id BLOB, household_id BLOB, person_id BLOB, service TEXT, due_on INTEGER,
    assigned_to BLOB, done_on INTEGER, done_by_visit BLOB, cancelled_on INTEGER, note TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE checklist_runs (
    id BLOB PRIMARY KEY, void INTEGER, tutorial TEXT, steps BLOB, phone_model TEXT, os_version TEXT, member_id BLOB,
    date INTEGER, minutes INTEGER, teach_back INTEGER
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE search USING fts5(
    folded, household UNINDEXED, detail = none, columnsize = 0, prefix = '1 2 3', tokenize = 'ascii'
);
