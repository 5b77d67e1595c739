-- Sessions, clubs and their members, hamlet censuses.

-- One row per live session.
CREATE VIEW IF NOT EXISTS session_facts AS
SELECT
  s.id AS id,
  s.scope AS scope,
  NULL AS visit_id,
  s.kind AS kind,                                       -- list session_kinds
  s.topic AS topic,
  s.organiser AS organiser,
  s.unit AS unit,
  s.hamlet_id AS hamlet_id,
  s.date AS date,
  s.headcount AS headcount,                             -- people who came
  coalesce(length(s.members) / 12, 0) AS member_count,  -- members who worked
  s.plan_id AS plan_id,
  t.unit AS team_unit,
  t.kind AS team_kind
FROM sessions AS s
LEFT JOIN scope_teams AS t ON t.scope = s.scope
WHERE s.v_stamp > 0 AND s.void IS NOT 1;

-- One row per live club or model group.
CREATE VIEW IF NOT EXISTS group_facts AS
SELECT
  g.id AS id,
  g.scope AS scope,
  NULL AS visit_id,
  g.name AS name,
  g.kind AS kind,        -- list group_kinds
  g.unit AS unit,
  g.founded_on AS date,
  t.unit AS team_unit,
  t.kind AS team_kind
FROM "groups" AS g
LEFT JOIN scope_teams AS t ON t.scope = g.scope
WHERE g.v_stamp > 0 AND g.void IS NOT 1;

-- One row per live membership of a live group. One person entered twice in one group has one member_key.
CREATE VIEW IF NOT EXISTS membership_facts AS
SELECT
  m.id AS id,
  m.scope AS scope,
  NULL AS visit_id,
  m.group_id AS group_id,
  g.name AS group_name,
  g.kind AS kind,                                       -- list group_kinds
  coalesce(pi.canonical_id, m.person_id) AS person_id,  -- after merges; null = not known to the team
  hex(m.group_id) || hex(coalesce(pi.canonical_id, m.person_id, m.id)) AS member_key,
  g.unit AS unit,
  m.from_date AS date,                                  -- joined
  m.to_date AS left_on,
  t.unit AS team_unit,
  t.kind AS team_kind
FROM memberships AS m
JOIN "groups" AS g ON g.id = m.group_id AND g.v_stamp > 0 AND g.void IS NOT 1
LEFT JOIN person_identities AS pi ON pi.id = m.person_id
LEFT JOIN scope_teams AS t ON t.scope = m.scope
WHERE m.v_stamp > 0 AND m.void IS NOT 1;

-- One row per time that a household was gone through. Which is the newest depends on the day one asks for, so an
-- indicator says "newest per household".
CREATE VIEW IF NOT EXISTS census_facts AS
SELECT
  c.id AS id,
  c.scope AS scope,
  NULL AS visit_id,
  c.hamlet_id AS hamlet_id,
  coalesce(hi.canonical_id, c.household_id, c.id) AS household_id,
  c.date AS date,
  c.adults AS adults,                 -- persons of 14 and over
  c.smartphones AS smartphones,       -- of them with a smartphone
  m.household_total AS hamlet_total,  -- households by the hamlet's own list
  coalesce(m.unit, t.unit) AS unit,
  t.unit AS team_unit,
  t.kind AS team_kind
FROM hamlet_censuses AS c
LEFT JOIN household_identities AS hi ON hi.id = c.household_id
LEFT JOIN hamlets AS m ON m.id = c.hamlet_id
LEFT JOIN scope_teams AS t ON t.scope = c.scope
WHERE c.v_stamp > 0 AND c.void IS NOT 1;
