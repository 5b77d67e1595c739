-- The record: one table for each table of the registry, with the columns of every row before its fields.
-- Written out of the registry (core/domain/src/registry); a test holds the two together.

-- A household as the team knows it: a label, never a name.
CREATE TABLE households (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    label TEXT, -- what the team calls it, such as Hộ 12
    hamlet_id BLOB, -- where it lives
    poverty INTEGER, -- poor, near-poor or neither; optional
    hint TEXT, -- how to find the place, such as cạnh trường
    merged_with BLOB, -- undirected edge: both are one household; the smallest id shows
    moved_to BLOB, -- its copy in another team's scope
    copied_from BLOB, -- the row this one was copied from
    rights_code BLOB -- what the citizen's slip says, not derived from the id
) STRICT, WITHOUT ROWID;

-- A person of a household, without a name.
CREATE TABLE persons (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    household_id BLOB, -- where the person lives
    band INTEGER, -- birth-year band
    birth_year INTEGER, -- year of birth instead of a band, when known
    sex INTEGER, -- optional
    phone_kind INTEGER, -- none, keypad or smartphone
    nfc INTEGER, -- whether the phone reads a chip
    own_sim INTEGER, -- whether the SIM is in the person's own name
    merged_with BLOB -- undirected edge: both are one person; the smallest id shows
) STRICT, WITHOUT ROWID;

-- A household's consent to one version of a text.
CREATE TABLE consents (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    household_id BLOB, -- who consents
    text TEXT, -- the text that was read out, by version
    way INTEGER, -- spoken before a witness, ticked, signed
    asked_by BLOB, -- who asked
    date INTEGER, -- when it was given
    purposes INTEGER, -- bits: 1 = the record, 2 = a contact for a return
    withdrawn_on INTEGER -- when it was withdrawn
) STRICT, WITHOUT ROWID;

-- One time that help was given: a household, or an anonymous turn.
CREATE TABLE visits (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    household_id BLOB, -- whom; none = an anonymous turn
    hamlet_id BLOB, -- where
    unit TEXT, -- the commune of its date, with list version
    date INTEGER, -- civil date
    start_minute INTEGER, -- minute of the day, rounded to 15
    end_minute INTEGER, -- minute of the day, rounded to 15
    place INTEGER, -- at home, culture house, market, service centre, telephone
    language INTEGER, -- the language spoken
    signal INTEGER, -- none, 2G-3G, 4G, wifi
    members BLOB, -- who was there
    plan_id BLOB, -- the campaign it counts under
    note TEXT -- free text, checked against the never-store list
) STRICT, WITHOUT ROWID;

-- One service of a visit and what came of it: a turn (lượt).
CREATE TABLE service_rows (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    visit_id BLOB, -- the visit
    person_id BLOB, -- for whom; none = nobody in particular
    service TEXT, -- the service, by version
    outcome INTEGER, -- new, had already, later, failed, refused, referred
    failure INTEGER, -- why it is not done, by the code's number
    evidence INTEGER, -- screen shown, the citizen's word, a receipt
    last_step INTEGER, -- the last step of the tutorial that was reached, from 1
    tutorial TEXT, -- the tutorial followed, by version
    run_id BLOB -- the checklist that was filled in
) STRICT, WITHOUT ROWID;

-- An appointment to come back.
CREATE TABLE follow_ups (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    visit_id BLOB, -- the visit it came from
    household_id BLOB, -- whom to see
    person_id BLOB, -- for whom
    service TEXT, -- what for
    due_on INTEGER, -- when
    assigned_to BLOB, -- who goes
    done_on INTEGER, -- when it was done
    done_by_visit BLOB, -- the visit that did it
    cancelled_on INTEGER, -- when it was called off
    note TEXT -- what to bring, checked against the never-store list
) STRICT, WITHOUT ROWID;

-- A training or propaganda session.
CREATE TABLE sessions (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    kind INTEGER, -- training conference, propaganda, class
    topic TEXT, -- what it was about
    organiser TEXT, -- who held it
    unit TEXT, -- the commune of its date
    hamlet_id BLOB, -- where, when in a hamlet
    date INTEGER, -- civil date
    headcount INTEGER, -- people who came
    members BLOB, -- members who worked
    plan_id BLOB -- the campaign it counts under
) STRICT, WITHOUT ROWID;

-- A phone or SIM given to a household.
CREATE TABLE grants (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    item INTEGER, -- phone, 4G SIM
    household_id BLOB, -- to whom
    person_id BLOB, -- for whom
    visit_id BLOB, -- the visit at which it was handed over, with its services
    donor TEXT, -- who gave it
    unit TEXT, -- the commune of its date
    date INTEGER, -- civil date
    plan_id BLOB -- the campaign it counts under
) STRICT, WITHOUT ROWID;

-- A club or model group.
CREATE TABLE groups (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    name TEXT, -- what it is called
    kind INTEGER, -- farmers' digital club and others
    unit TEXT, -- the commune of its founding
    founded_on INTEGER -- civil date
) STRICT, WITHOUT ROWID;

-- One member of a club, without a name.
CREATE TABLE memberships (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    group_id BLOB, -- the club
    person_id BLOB, -- the person, when known to the team
    from_date INTEGER, -- joined
    to_date INTEGER -- left
) STRICT, WITHOUT ROWID;

-- A household of a hamlet was gone through.
CREATE TABLE hamlet_censuses (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    hamlet_id BLOB, -- the hamlet
    household_id BLOB, -- the household
    date INTEGER, -- when
    adults INTEGER, -- persons of 14 and over
    smartphones INTEGER -- of them with a smartphone
) STRICT, WITHOUT ROWID;

-- A member's half-day of work without a visit.
CREATE TABLE work_days (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    member_id BLOB, -- who
    date INTEGER, -- civil date
    half INTEGER, -- morning, afternoon, evening
    reason TEXT, -- what was done
    plan_id BLOB -- the campaign it counts under
) STRICT, WITHOUT ROWID;

-- A team as the commune's decision founded it.
CREATE TABLE teams (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    name TEXT, -- as in the decision
    kind INTEGER, -- thôn, xã, merged, youth, union, agency
    unit TEXT, -- its commune when founded
    founded_on INTEGER -- nothing is dated before it
) STRICT, WITHOUT ROWID;

-- A member of a team in a role; a second role is a second row.
CREATE TABLE members (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    team_id BLOB, -- the team
    name TEXT, -- the volunteer's name, as on the identity card
    role INTEGER, -- member, deputy, lead, trainer
    from_date INTEGER, -- since
    to_date INTEGER -- until
) STRICT, WITHOUT ROWID;

-- A member's folder on a phone.
CREATE TABLE devices (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    member_id BLOB, -- whose
    public_key BLOB, -- Ed25519
    from_date INTEGER, -- enrolled
    revoked_on INTEGER -- revoked
) STRICT, WITHOUT ROWID;

-- A hamlet (thôn, bản, khu phố): no national code exists for it.
CREATE TABLE hamlets (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    name TEXT, -- with its kind, such as Thôn Ngàn Chi
    unit TEXT, -- its commune when written
    language INTEGER, -- the language mostly spoken
    signal INTEGER, -- the signal one can expect
    household_total INTEGER -- households by the hamlet's own list
) STRICT, WITHOUT ROWID;

-- Which scopes a team holds, from when to when.
CREATE TABLE team_scopes (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    team_id BLOB, -- the team
    held_scope BLOB, -- the scope
    kind INTEGER, -- 1 team, 2 training, 3 place, 4 reference
    from_date INTEGER, -- since
    to_date INTEGER -- until
) STRICT, WITHOUT ROWID;

-- A tutorial walked through with a citizen: how it went, with nothing about whom.
CREATE TABLE checklist_runs (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    tutorial TEXT, -- by version
    steps BLOB, -- one byte a step: 0 not reached, 1 passed, 2 skipped, from 16 the failure code's number
    phone_model TEXT, -- of the citizen's phone
    os_version TEXT, -- of the citizen's phone
    member_id BLOB, -- who helped
    date INTEGER, -- civil date
    minutes INTEGER, -- how long it took
    teach_back INTEGER -- the citizen did it once more alone
) STRICT, WITHOUT ROWID;

-- A trainer's verdict on a run.
CREATE TABLE reviews (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    run_id BLOB, -- the run
    verdict INTEGER, -- approved, sent back
    comment TEXT, -- checked against the never-store list
    trainer_id BLOB, -- who
    date INTEGER -- civil date
) STRICT, WITHOUT ROWID;

-- A campaign of a place.
CREATE TABLE plans (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    name TEXT, -- as in the decision
    unit TEXT, -- the place
    from_date INTEGER, -- first day
    to_date INTEGER -- last day
) STRICT, WITHOUT ROWID;

-- An imported figure of a place; a second import of the same is a new row with a higher version.
CREATE TABLE stock_values (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    unit TEXT, -- the place, with list version
    indicator TEXT, -- what it measures, by version
    operator TEXT, -- one of = <~ ~ > >= <
    value INTEGER, -- as published; a rate in percent
    numerator INTEGER, -- when published
    denominator INTEGER, -- when published; none = unknown
    source TEXT, -- who says so
    date INTEGER, -- as of
    version INTEGER -- of this unit, indicator and date; from 1
) STRICT, WITHOUT ROWID;

-- Figures of a unit and period, signed off and frozen.
CREATE TABLE reports (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    unit TEXT, -- the place
    from_date INTEGER, -- first day
    to_date INTEGER, -- last day
    figures TEXT -- JSON
) STRICT, WITHOUT ROWID;

-- A tutorial, service, failure code, consent text, indicator or unit list newer than the packed release.
CREATE TABLE content_items (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    kind TEXT, -- tutorial, service, failure_code, consent, indicator, unit, unit_succession
    code TEXT, -- by version
    body TEXT -- as in fixtures, checked before it is published
) STRICT, WITHOUT ROWID;

-- How to reach a household, bound to one consent; goes when that dies.
CREATE TABLE contacts (
    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there
    scope INTEGER NOT NULL, -- its number in scopes
    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet
    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch
    void INTEGER, -- 1 = struck out
    consent_id BLOB, -- the consent it lives by
    household_id BLOB, -- the household
    person_id BLOB, -- the person, when one
    display_name TEXT, -- the name used
    phone TEXT, -- 0xxxxxxxxx
    expires_on INTEGER -- at most 90 days on
) STRICT, WITHOUT ROWID;
