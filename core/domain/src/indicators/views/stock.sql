-- Imported figures of places: for each unit, indicator and date the newest version.
CREATE VIEW IF NOT EXISTS stock_facts AS
SELECT * FROM (
  SELECT
    id AS id,
    scope AS scope,
    NULL AS visit_id,
    unit AS unit,                -- with list version
    indicator AS indicator,      -- with version
    substr(indicator, 1, instr(indicator || '@', '@') - 1) AS indicator_code,
    operator AS operator,        -- one of = <~ ~ > >= <
    value AS value,              -- thousandths; a rate in percent
    numerator AS numerator,
    denominator AS denominator,  -- null = not known
    source AS source,
    date AS date,                -- as of
    coalesce(version, 1) AS version,
    row_number() OVER (PARTITION BY unit, indicator, date ORDER BY coalesce(version, 1) DESC, id) AS nth  -- 1
  FROM stock_values WHERE v_stamp > 0 AND void IS NOT 1
)
WHERE nth = 1;
