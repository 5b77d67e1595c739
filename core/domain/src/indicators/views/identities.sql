-- What the fact views stand on. Views, so that nothing is stored twice and a merge or a void shows at once.
-- Everywhere: a row counts when `v_stamp > 0 AND void IS NOT 1`; v_stamp 0 = its create has not arrived.

-- Persons that were merged, each with the smallest id of its connected component. Persons without an edge are not
-- in it, so that it costs nothing when nothing was merged. An edge holds whatever became of the row that bears it.
CREATE VIEW IF NOT EXISTS person_identities AS
WITH RECURSIVE
edges(one, other) AS MATERIALIZED (
  SELECT id, merged_with FROM persons WHERE merged_with IS NOT NULL
  UNION
  SELECT merged_with, id FROM persons WHERE merged_with IS NOT NULL
),
reached(id, other) AS (
  SELECT one, other FROM edges
  UNION
  SELECT reached.id, edges.other FROM reached JOIN edges ON edges.one = reached.other
)
SELECT
  id,                         -- a person with an edge
  min(other) AS canonical_id  -- goes there and back, so the person itself is among the others
FROM reached GROUP BY id;

-- The same for households.
CREATE VIEW IF NOT EXISTS household_identities AS
WITH RECURSIVE
edges(one, other) AS MATERIALIZED (
  SELECT id, merged_with FROM households WHERE merged_with IS NOT NULL
  UNION
  SELECT merged_with, id FROM households WHERE merged_with IS NOT NULL
),
reached(id, other) AS (
  SELECT one, other FROM edges
  UNION
  SELECT reached.id, edges.other FROM reached JOIN edges ON edges.one = reached.other
)
SELECT
  id,                         -- a household with an edge
  min(other) AS canonical_id  -- the smallest id of its component
FROM reached GROUP BY id;

-- The team whose scope it is. A team scope holds one team; should two stand in it, the older row.
CREATE VIEW IF NOT EXISTS scope_teams AS
SELECT
  scope,               -- local number of the scope
  min(id) AS team_id,  -- the bare columns beside min() are those of its row
  unit,                -- the team's commune when founded
  kind                 -- list team_kinds
FROM teams WHERE v_stamp > 0 AND void IS NOT 1 GROUP BY scope;
