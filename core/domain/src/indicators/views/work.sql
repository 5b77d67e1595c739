-- Work of members, checklist runs and reviews.

-- One row per person-day: a member, a day, a plan (or none), from visits, sessions and half-days without a visit.
-- A member who worked in two communes on one day has one row, with the commune of the first piece of work, so that
-- person-days of communes add up.
CREATE VIEW IF NOT EXISTS work_facts AS
WITH RECURSIVE
numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 64),
-- For a list of `ids` references the offsets of each: an equality to join on, where `n < length` would read all 64.
places(ids, start) AS MATERIALIZED (
  SELECT a.n, b.n * 12 - 11 FROM numbers AS a JOIN numbers AS b ON b.n <= a.n
),
pieces(id, scope, visit_id, member_id, date, plan_id, unit, hamlet_id) AS (
  SELECT v.id, v.scope, v.id, substr(v.members, places.start, 12), v.date, v.plan_id, v.unit, v.hamlet_id
  FROM visits AS v JOIN places ON places.ids = length(v.members) / 12
  WHERE v.v_stamp > 0 AND v.void IS NOT 1
  UNION ALL
  SELECT s.id, s.scope, NULL, substr(s.members, places.start, 12), s.date, s.plan_id, s.unit, s.hamlet_id
  FROM sessions AS s JOIN places ON places.ids = length(s.members) / 12
  WHERE s.v_stamp > 0 AND s.void IS NOT 1
  UNION ALL
  SELECT w.id, w.scope, NULL, w.member_id, w.date, w.plan_id, t.unit, NULL
  FROM work_days AS w LEFT JOIN scope_teams AS t ON t.scope = w.scope
  WHERE w.v_stamp > 0 AND w.void IS NOT 1 AND w.member_id IS NOT NULL
)
SELECT
  min(p.id) AS id,            -- the first piece of work; the bare columns beside min() are those of its row
  p.scope AS scope,
  p.visit_id AS visit_id,
  p.member_id AS member_id,
  p.date AS date,
  p.plan_id AS plan_id,
  p.unit AS unit,
  p.hamlet_id AS hamlet_id,
  count(*) AS pieces,         -- visits, sessions and half-days in it
  t.unit AS team_unit,
  t.kind AS team_kind
FROM pieces AS p
LEFT JOIN scope_teams AS t ON t.scope = p.scope
GROUP BY p.member_id, p.date, p.plan_id;

-- One row per live checklist run. The commune is that of the member's team, known only where the team's rows are.
CREATE VIEW IF NOT EXISTS run_facts AS
SELECT
  r.id AS id,
  r.scope AS scope,
  NULL AS visit_id,
  r.tutorial AS tutorial,          -- with version
  substr(r.tutorial, 1, instr(r.tutorial || '@', '@') - 1) AS tutorial_code,
  r.member_id AS member_id,
  r.date AS date,
  r.minutes AS minutes,
  r.teach_back AS teach_back,      -- 1 = the citizen did it once more alone
  coalesce(length(r.steps), 0) AS step_count,
  r.phone_model AS phone_model,
  r.os_version AS os_version,
  t.unit AS unit
FROM checklist_runs AS r
LEFT JOIN members AS m ON m.id = r.member_id
LEFT JOIN teams AS t ON t.id = m.team_id
WHERE r.v_stamp > 0 AND r.void IS NOT 1;

-- One row per live review of a live run.
CREATE VIEW IF NOT EXISTS review_facts AS
SELECT
  w.id AS id,
  w.scope AS scope,
  NULL AS visit_id,
  w.run_id AS run_id,
  w.verdict AS verdict,            -- list verdicts
  w.trainer_id AS trainer_id,
  w.date AS date,
  r.tutorial AS tutorial,
  substr(r.tutorial, 1, instr(r.tutorial || '@', '@') - 1) AS tutorial_code,
  r.member_id AS member_id,
  t.unit AS unit
FROM reviews AS w
JOIN checklist_runs AS r ON r.id = w.run_id AND r.v_stamp > 0 AND r.void IS NOT 1
LEFT JOIN members AS m ON m.id = r.member_id
LEFT JOIN teams AS t ON t.id = m.team_id
WHERE w.v_stamp > 0 AND w.void IS NOT 1;
