CREATE OR REPLACE FUNCTION audit_trigger_level(relation regclass) RETURNS text LANGUAGE sql STABLE AS $$
  -- version: 2
  -- Whether the changes of a table are told by the statement or by the row. By the row: partitioned tables and those that inherit,
  -- because a statement trigger belongs to one table and sees only statements that name it; and tables of which a trigger, or a
  -- foreign key through whatever tables, may change a row again within the same statement: what a trigger behind the statement
  -- told of it would come after what happened later.
  WITH RECURSIVE reached(oid) AS (
    SELECT relation::oid
    UNION
    SELECT f.conrelid FROM reached AS r JOIN pg_constraint AS f ON f.confrelid = r.oid
    WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
  )
  SELECT CASE
    WHEN c.relkind = 'p' OR c.relispartition OR EXISTS (SELECT FROM pg_inherits WHERE relation IN (inhrelid, inhparent)) THEN 'row'
    WHEN EXISTS (SELECT FROM reached AS r JOIN pg_constraint AS f ON f.confrelid = r.oid AND f.conrelid = relation
      WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))) THEN 'row'
    WHEN EXISTS (SELECT FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid
      WHERE g.tgrelid = relation AND NOT g.tgisinternal AND (g.tgtype & 3) = 1 AND NOT starts_with(p.proname, 'audit_trigger_')) THEN 'row'
    WHEN EXISTS (SELECT FROM reached AS r JOIN pg_trigger AS g ON g.tgrelid = r.oid JOIN pg_proc AS p ON p.oid = g.tgfoid
      WHERE r.oid <> relation AND NOT g.tgisinternal AND NOT starts_with(p.proname, 'audit_trigger_')) THEN 'row'
    ELSE 'statement'
  END FROM pg_class AS c WHERE c.oid = relation
$$;
