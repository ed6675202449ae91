import { RECORDER_SUMS } from './recorder-sums.js';
import {
  behindExpression,
  effectsExpression,
  fingerprintExpression,
  functionsExpression,
  functionsSumExpression,
  triggersExpression,
} from './table-fingerprint.js';

/** Which relation a query is for: its condition on `c`, a row of pg_class, and its parameters. */
export type TableCondition =
  | { readonly kind: 'oid'; readonly oid: string }
  | { readonly kind: 'qualified'; readonly schema: string; readonly name: string; readonly isUtf8: boolean }
  | { readonly kind: 'visible'; readonly name: string; readonly isUtf8: boolean };

/** A name is cut to 63 bytes as in SQL. None of this fails, whatever the role may and whatever is dropped meanwhile. */
export function conditionOf(condition: TableCondition): {
  readonly sql: string;
  readonly params: readonly string[];
} {
  switch (condition.kind) {
    case 'oid':
      return { sql: 'c.oid = $1::text::oid', params: [condition.oid] };
    case 'visible': {
      const name = nameTest('c.relname', '$1', condition.name, condition.isUtf8);
      return { sql: `${name.sql} AND pg_catalog.pg_table_is_visible(c.oid)`, params: [name.param] };
    }
    case 'qualified': {
      const name = nameTest('c.relname', '$1', condition.name, condition.isUtf8);
      const schema = nameTest('nspname', '$2', condition.schema, condition.isUtf8);
      return {
        sql: `${name.sql} AND c.relnamespace = CASE $2::text WHEN 'pg_temp' THEN
          pg_catalog.pg_my_temp_schema() ELSE (SELECT oid FROM pg_catalog.pg_namespace WHERE ${schema.sql}) END`,
        params: [name.param, schema.param],
      };
    }
  }
}

/** So many characters are cut in no encoding. */
const MAX_NEVER_CUT = 20;

/** A name for which the database has no form is not found, and the query does not fail. */
function nameTest(
  column: string,
  parameter: string,
  name: string,
  isUtf8: boolean,
): { readonly sql: string; readonly param: string } {
  if (isUtf8 || !/[^ -~]/.test(name) || name.length > MAX_NEVER_CUT) {
    return { sql: `${column} = ${parameter}::text::name`, param: name };
  }
  return {
    sql: `pg_catalog.convert_to(${column}::text, 'UTF8') = pg_catalog.decode(${parameter}::text, 'hex')`,
    param: Buffer.from(name).toString('hex'),
  };
}

const names = (positions: string, relation: string): string =>
  `(SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(${positions}) WITH ORDINALITY AS k(attnum, n)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.attnum)`;

const KIND = (relation: string): string => `CASE ${relation}.relkind WHEN 'r' THEN 'table'
  WHEN 'p' THEN 'partitioned' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign' ELSE 'other' END`;

const ACTION = (column: string): string => `CASE ${column} WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade'
  WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' ELSE 'no action' END`;

const COLUMNS = `(SELECT json_agg(json_build_array(a.attname, a.atttypid::text,
    pg_catalog.format_type(a.atttypid, a.atttypmod), a.attgenerated <> '',
    coalesce(pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'), false)) ORDER BY a.attnum)
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped)`;

/** The types of the columns, and those that they consist of. */
const TYPES = `(WITH RECURSIVE used(oid) AS (
    SELECT a.atttypid FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION SELECT next.oid FROM used JOIN pg_catalog.pg_type y ON y.oid = used.oid,
      LATERAL (VALUES (y.typbasetype), (CASE WHEN y.typoutput = 'pg_catalog.array_out'::regproc THEN y.typelem END)) next(oid)
      WHERE next.oid <> 0)
  SELECT json_agg(json_build_array(y.oid::text, n.nspname, y.typname, y.typbasetype::text,
    CASE WHEN y.typoutput = 'pg_catalog.array_out'::regproc THEN y.typelem ELSE 0 END::text, y.typdelim,
    pg_catalog.format_type(y.oid, NULL)))
  FROM used JOIN pg_catalog.pg_type y ON y.oid = used.oid JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace)`;

// PostgreSQL 18 marks a column NOT NULL also where its constraint is not valid yet.
const KEY = `(SELECT ${names('i.indkey[0:i.indnkeyatts - 1]', 'i.indrelid')} FROM pg_catalog.pg_index i
  WHERE i.indrelid = t.oid AND i.indisunique AND (i.indisprimary OR (i.indimmediate AND i.indisvalid
    AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (
      SELECT FROM unnest(i.indkey[0:i.indnkeyatts - 1]) AS k(attnum)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE NOT a.attnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint o WHERE o.conrelid = i.indrelid
          AND o.contype = 'n' AND NOT o.convalidated AND o.conkey[1] = a.attnum))))
  ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1)`;

/** A partition's copy of a foreign key or trigger is told by the table that it was made for, where that is asked for too. */
const REFERENCES = `(SELECT json_agg(json_build_array(r.relname, ${names('o.conkey', 'o.conrelid')}) ORDER BY o.oid)
  FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class r ON r.oid = o.confrelid
  WHERE o.contype = 'f' AND o.conrelid = t.oid AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_constraint up WHERE up.oid = o.conparentid AND up.conrelid = t.oid))`;

const REFERENCED_BY = `(SELECT json_agg(json_build_array(o.conrelid::text, n.nspname, r.relname,
    ${names('o.conkey', 'o.conrelid')}, ${names('o.confkey', 'o.confrelid')},
    ${ACTION('o.confdeltype')}, ${ACTION('o.confupdtype')},
    ${names('coalesce(o.confdelsetcols, o.conkey)', 'o.conrelid')}) ORDER BY o.oid)
  FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class r ON r.oid = o.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
  WHERE o.contype = 'f' AND o.confrelid IN (SELECT oid FROM family)
    AND (to_jsonb(o) ->> 'conenforced') IS DISTINCT FROM 'false' AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_constraint up
        WHERE up.oid = o.conparentid AND up.confrelid IN (SELECT oid FROM family)))`;

const HAS_ITS_NAME = `p.proname IN ('audit_trigger_statement', 'audit_trigger_row', 'audit_trigger_truncate')`;

/**
 * The triggers of @indelible/postgres-triggers: they record the table by themselves. Others of their names may record nothing: so
 * they must fire whatever the row and the session, and all functions must be those that were shipped, with their owner's rights
 * and search path, beside the audit tables and of the same owner. What is not so is one of the application's own triggers.
 */
const IS_RECORDER = `(${HAS_ITS_NAME}
  AND g.tgqual IS NULL AND g.tgattr = ''::int2vector AND p.prosecdef
  AND EXISTS (SELECT FROM pg_catalog.pg_class a JOIN pg_catalog.pg_namespace s ON s.oid = a.relnamespace
    WHERE a.relname = 'audit_event' AND a.relnamespace = p.pronamespace AND a.relowner = p.proowner
      AND 'search_path=' || pg_catalog.quote_ident(s.nspname) || ', pg_temp' = ANY (p.proconfig))
  AND ${functionsSumExpression('p.pronamespace')} IN (${RECORDER_SUMS.map((sum) => `'${sum}'`).join(', ')}))`;

/** True where any table has triggers of these names: to tell them who acts does no harm, whatever they are. */
export const HAS_RECORDERS = `SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger g
  JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid WHERE ${HAS_ITS_NAME})::text`;

/** By event, whether the table and all of its children have one that fires, or only some of them. */
const RECORDERS = `(SELECT json_agg(json_build_array(e.bit, e.recorded = (SELECT count(*) FROM family), e.says, e.schemas)) FROM (
    SELECT b.bit, count(DISTINCT g.tgrelid) AS recorded, bool_and(p.proname = 'audit_trigger_statement') AS says,
      json_agg(DISTINCT n.nspname) AS schemas FROM (VALUES (4), (8), (16), (32)) AS b(bit)
      JOIN pg_catalog.pg_trigger g ON g.tgtype & b.bit <> 0 JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE g.tgenabled = 'A' AND g.tgrelid IN (SELECT oid FROM family) AND ${IS_RECORDER}
    GROUP BY b.bit) AS e)`;

const TRIGGERS = `(SELECT json_agg(json_build_array(g.tgname, g.tgtype, pn.nspname, p.proname, l.lanname, p.prosrc,
    coalesce(p.probin, ''), EXISTS (SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_trigger'::regclass AND d.objid = g.oid
        AND d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid <> g.tgfoid)) ORDER BY g.tgname, g.oid)
  FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
    JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgrelid IN (SELECT oid FROM family) AND NOT ${IS_RECORDER}
    AND (g.tgrelid = t.oid OR g.tgtype & 1 = 1) AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_trigger up WHERE up.oid = g.tgparentid AND up.tgrelid IN (SELECT oid FROM family)))`;

const TRIGGER_FUNCTIONS = `SELECT g.tgfoid FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal
  AND g.tgenabled IN ('O', 'A') AND g.tgrelid IN (SELECT oid FROM family)`;

/** A primary key that is checked at the end of the statement, or of the transaction. */
const IS_KEY_LATE = `EXISTS (SELECT FROM pg_catalog.pg_index i
  WHERE i.indrelid = t.oid AND i.indisprimary AND NOT i.indimmediate)`;

const RULES = `(SELECT json_agg(w.rulename ORDER BY w.rulename) FROM pg_catalog.pg_rewrite w
  WHERE w.ev_class = t.oid AND w.rulename <> '_RETURN' AND w.ev_enabled IN ('O', 'A'))`;

const READS = `(SELECT json_agg(DISTINCT d.refobjid::text) FROM pg_catalog.pg_rewrite w
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> t.oid
  WHERE t.relkind IN ('v', 'm') AND w.ev_class = t.oid AND w.rulename = '_RETURN')`;

/** 4, 8 and 16: UPDATE, INSERT and DELETE (`CmdType` of the server). */
const IS_UPDATABLE_VIEW = `(t.relkind = 'v' AND pg_catalog.pg_relation_is_updatable(t.oid::regclass, false) & 28 <> 0)`;

/** What a value beyond some 2 KiB is stored in, compressed where it can be. */
const IS_WIDE = `coalesce((SELECT sum(pg_catalog.pg_relation_size(k.reltoastrelid))
  FROM family f JOIN pg_catalog.pg_class k ON k.oid = f.oid WHERE k.reltoastrelid <> 0), 0) > 65536`;

/** One row with the table as JSON text for `readTable`, and what `scope` gives; no row where there is none. */
export function tableQuery(condition: string, scope: string): string {
  return `WITH RECURSIVE target AS MATERIALIZED (SELECT c.* FROM pg_catalog.pg_class c WHERE ${condition}),
    family(oid) AS (SELECT oid FROM target
      UNION SELECT i.inhrelid FROM family f JOIN pg_catalog.pg_inherits i ON i.inhparent = f.oid)
  SELECT json_build_object(
    'oid', t.oid::text, 'schema', n.nspname, 'name', t.relname, 'kind', ${KIND('t')},
    'root', coalesce(root.oid, t.oid)::text,
    'rootSchema', coalesce(rootSchema.nspname, n.nspname), 'rootName', coalesce(root.relname, t.relname),
    'columns', ${COLUMNS}, 'types', ${TYPES}, 'key', ${KEY},
    'references', ${REFERENCES}, 'referencedBy', ${REFERENCED_BY},
    'triggers', ${TRIGGERS}, 'recorders', ${RECORDERS}, 'rules', ${RULES}, 'reads', ${READS},
    'children', (SELECT json_agg(json_build_array(k.oid::text, ${KIND('k')}, ${triggersExpression('k.oid')}) ORDER BY k.oid)
      FROM family f JOIN pg_catalog.pg_class k ON k.oid = f.oid WHERE k.oid <> t.oid),
    'triggerFunctions', (SELECT json_agg(DISTINCT f.tgfoid::text) FROM (${TRIGGER_FUNCTIONS}) f),
    'functions', ${functionsExpression(`oid IN (${TRIGGER_FUNCTIONS})`)},
    'isKeyLate', ${IS_KEY_LATE}, 'encoding', pg_catalog.getdatabaseencoding(),
    'hasRowSecurity', pg_catalog.row_security_active(t.oid),
    'mayReadPlaces', pg_catalog.has_table_privilege(t.oid, 'SELECT'),
    'mayUpdate', pg_catalog.has_table_privilege(t.oid, 'UPDATE'),
    'mayLock', pg_catalog.has_any_column_privilege(t.oid, 'UPDATE'),
    'isUpdatableView', ${IS_UPDATABLE_VIEW}, 'isTemporary', t.relpersistence = 't', 'isWide', ${IS_WIDE},
    'isBehind', ${behindExpression('t.oid')}, 'fingerprint', ${fingerprintExpression('t.oid')}, 'effects', ${effectsExpression('t.oid')})::text AS described, ${scope} AS scope
  FROM target t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    LEFT JOIN pg_catalog.pg_class root ON root.oid = CASE WHEN t.relispartition THEN pg_catalog.pg_partition_root(t.oid) END
    LEFT JOIN pg_catalog.pg_namespace rootSchema ON rootSchema.oid = root.relnamespace`;
}
