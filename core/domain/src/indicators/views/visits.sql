-- Visits and what hangs on them.

-- One row per live visit: a time that help was given (lần giúp).
CREATE VIEW IF NOT EXISTS visit_facts AS
SELECT
  v.id AS id,
  v.scope AS scope,
  v.id AS visit_id,
  coalesce(hi.canonical_id, v.household_id) AS household_id,  -- after merges; null = an anonymous turn
  v.household_id IS NULL AS anonymous,                        -- 1 = nobody is known
  h.poverty AS poverty,                                       -- list poverty, as the household is now
  v.hamlet_id AS hamlet_id,
  v.unit AS unit,                                             -- the commune of its date, with list version
  v.date AS date,                                             -- days since 1970-01-01
  v.start_minute AS start_minute,
  v.end_minute AS end_minute,
  v.place AS place,                                           -- list place_kinds
  v.language AS language,                                     -- list languages
  v.signal AS signal,                                         -- list signals
  coalesce(length(v.members) / 12, 0) AS member_count,        -- ids of 12 bytes
  v.plan_id AS plan_id,
  t.unit AS team_unit,
  t.kind AS team_kind                                         -- list team_kinds
FROM visits AS v
LEFT JOIN household_identities AS hi ON hi.id = v.household_id
LEFT JOIN households AS h ON h.id = v.household_id
LEFT JOIN scope_teams AS t ON t.scope = v.scope
WHERE v.v_stamp > 0 AND v.void IS NOT 1;

-- One row per live service row of a live visit: a turn (lượt).
CREATE VIEW IF NOT EXISTS service_facts AS
SELECT
  s.id AS id,
  s.scope AS scope,
  s.visit_id AS visit_id,
  coalesce(pi.canonical_id, s.person_id) AS person_id,        -- after merges; null = nobody in particular
  p.band AS band,                                             -- list age_bands
  p.sex AS sex,                                               -- list sexes
  coalesce(hi.canonical_id, v.household_id) AS household_id,  -- after merges; null = an anonymous turn
  h.poverty AS poverty,                                       -- list poverty
  s.service AS service,                                       -- with version
  substr(s.service, 1, instr(s.service || '@', '@') - 1) AS service_code,
  s.outcome AS outcome,                                       -- list outcomes
  s.failure AS failure,                                       -- number of the failure code
  s.evidence AS evidence,                                     -- list evidence
  s.last_step AS last_step,
  s.tutorial AS tutorial,                                     -- with version
  s.run_id AS run_id,
  v.date AS date,
  v.unit AS unit,
  v.hamlet_id AS hamlet_id,
  v.plan_id AS plan_id,
  v.place AS place,                                           -- list place_kinds
  v.language AS language,                                     -- list languages
  v.signal AS signal,                                         -- list signals
  t.unit AS team_unit,
  t.kind AS team_kind                                         -- list team_kinds
FROM service_rows AS s
JOIN visits AS v ON v.id = s.visit_id AND v.v_stamp > 0 AND v.void IS NOT 1
LEFT JOIN person_identities AS pi ON pi.id = s.person_id
LEFT JOIN household_identities AS hi ON hi.id = v.household_id
LEFT JOIN persons AS p ON p.id = s.person_id
LEFT JOIN households AS h ON h.id = v.household_id
LEFT JOIN scope_teams AS t ON t.scope = s.scope
WHERE s.v_stamp > 0 AND s.void IS NOT 1;

-- New results: for each person and service the first turn with the outcome "new", whenever that was; of turns for
-- nobody in particular every one. The first is found before any period is cut out, so that a second "new" in a
-- later period is not counted again.
CREATE VIEW IF NOT EXISTS result_facts AS
SELECT * FROM (
  SELECT
    service_facts.*,
    row_number() OVER (PARTITION BY person_id, service_code ORDER BY date, id) AS nth  -- 1 = the first
  FROM service_facts WHERE outcome = 1 AND date IS NOT NULL
)
WHERE person_id IS NULL OR nth = 1;

-- One row per live appointment. One that came from a visit counts only while that visit counts. One that the hub
-- copied along with a household, by one writer, is counted where it was made up to the day before, and here since: its
-- day is then no earlier than the one before the copy's (a stamp holds ms in its upper 48 bits; days are of UTC+7).
CREATE VIEW IF NOT EXISTS follow_up_facts AS
SELECT
  f.id AS id,
  f.scope AS scope,
  f.visit_id AS visit_id,
  coalesce(hi.canonical_id, f.household_id) AS household_id,
  coalesce(pi.canonical_id, f.person_id) AS person_id,
  f.service AS service,
  substr(f.service, 1, instr(f.service || '@', '@') - 1) AS service_code,
  CASE WHEN h.copied_from IS NOT NULL AND substr(f.id, 1, 8) = substr(h.id, 1, 8)
    THEN max(f.due_on, ((f.v_stamp >> 16) + 25200000) / 86400000 - 1)
    ELSE f.due_on
  END AS date,
  coalesce(f.done_on, d.date) AS done_on,                     -- the day of the visit that did it, when no other
  f.cancelled_on AS cancelled_on,
  f.assigned_to AS member_id,
  coalesce(v.hamlet_id, h.hamlet_id) AS hamlet_id,
  coalesce(v.unit, m.unit) AS unit,                           -- of the visit, else of the household's hamlet
  v.plan_id AS plan_id,
  t.unit AS team_unit,
  t.kind AS team_kind
FROM follow_ups AS f
LEFT JOIN visits AS v ON v.id = f.visit_id AND v.v_stamp > 0 AND v.void IS NOT 1
LEFT JOIN visits AS d ON d.id = f.done_by_visit AND d.v_stamp > 0 AND d.void IS NOT 1
LEFT JOIN person_identities AS pi ON pi.id = f.person_id
LEFT JOIN household_identities AS hi ON hi.id = f.household_id
LEFT JOIN households AS h ON h.id = f.household_id
LEFT JOIN hamlets AS m ON m.id = h.hamlet_id
LEFT JOIN scope_teams AS t ON t.scope = f.scope
WHERE f.v_stamp > 0 AND f.void IS NOT 1 AND (f.visit_id IS NULL OR v.id IS NOT NULL);

-- One row per live grant. One handed over at a visit counts only while that visit counts.
CREATE VIEW IF NOT EXISTS grant_facts AS
SELECT
  g.id AS id,
  g.scope AS scope,
  g.visit_id AS visit_id,
  g.item AS item,                                             -- list grant_items
  coalesce(hi.canonical_id, g.household_id) AS household_id,
  h.poverty AS poverty,
  coalesce(pi.canonical_id, g.person_id) AS person_id,
  g.donor AS donor,
  g.unit AS unit,
  g.date AS date,
  g.plan_id AS plan_id,
  -- A 4G SIM came with it: given at the same visit, or the service done there.
  EXISTS (
    SELECT 1 FROM service_rows AS s
    WHERE s.visit_id = v.id AND s.v_stamp > 0 AND s.void IS NOT 1
      AND (s.service = 'sim_4g' OR s.service LIKE 'sim\_4g@%' ESCAPE '\') AND s.outcome IN (1, 2)
  ) OR EXISTS (
    SELECT 1 FROM grants AS o
    WHERE o.visit_id = v.id AND o.item = 2 AND o.v_stamp > 0 AND o.void IS NOT 1
  ) AS with_sim_4g,
  -- Guidance in VNeID was given there, whatever came of it, unless it was refused.
  EXISTS (
    SELECT 1 FROM service_rows AS s
    WHERE s.visit_id = v.id AND s.v_stamp > 0 AND s.void IS NOT 1
      AND s.service LIKE 'vneid%' AND s.outcome IS NOT 5
  ) AS with_vneid,
  t.unit AS team_unit,
  t.kind AS team_kind
FROM grants AS g
LEFT JOIN visits AS v ON v.id = g.visit_id AND v.v_stamp > 0 AND v.void IS NOT 1
LEFT JOIN person_identities AS pi ON pi.id = g.person_id
LEFT JOIN household_identities AS hi ON hi.id = g.household_id
LEFT JOIN households AS h ON h.id = g.household_id
LEFT JOIN scope_teams AS t ON t.scope = g.scope
WHERE g.v_stamp > 0 AND g.void IS NOT 1 AND (g.visit_id IS NULL OR v.id IS NOT NULL);
