import { FUNCTIONS_SUM } from './functions.js';
import { FUNCTIONS_VERSION } from './install-triggers.js';
import { type PgClient, quoteName, type Row, rowsOf } from './pg-client.js';

/**
 * What keeps a table's record from being whole.
 *
 * | problem | |
 * |---|---|
 * | `missing` | it has no triggers, or not all of them |
 * | `disabled` | a trigger is switched off, or not for sessions in which triggers are |
 * | `outdated` | columns or the key have changed since, or the functions are of another version: `triggers install` again |
 * | `replaced` | the functions are not those of this library: whatever they do, nobody has vouched for it |
 * | `level` | the rows need triggers of their own now: a change may be told before an earlier one of the same row |
 * | `doubled` | it has become a partition of a table that has triggers too |
 */
export type TriggerProblem = 'missing' | 'disabled' | 'outdated' | 'replaced' | 'level' | 'doubled';

export interface ListedTable {
  /** `schema.table` */
  readonly table: string;
  /** What its events call it; null where it has no triggers. */
  readonly name: string | null;
  readonly level: 'statement' | 'row';
  readonly problems: readonly TriggerProblem[];
  /** Who may take the triggers off. */
  readonly owner: string;
  /** Changes whenever anybody switches a trigger off or on, drops it or makes it anew. */
  readonly fingerprint: string;
}

/**
 * Every table that has triggers of this package, and every other table of the schema.
 *
 * @param schema of the tables without triggers. @default 'public'
 */
export async function listTriggers(
  client: PgClient,
  { schema = 'public', auditSchema = 'audit' }: { schema?: string; auditSchema?: string } = {},
): Promise<readonly ListedTable[]> {
  const own = quoteName(auditSchema);
  const [functions] = await rowsOf(
    client,
    `SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = $1 AND p.proname = 'audit_trigger_arguments'`,
    [auditSchema],
  );
  const rows = await rowsOf(client, listSql(own, functions !== undefined), [schema, auditSchema]);
  return rows.map(readTable);
}

function listSql(own: string, hasFunctions: boolean): string {
  return `WITH found AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.relowner,
      (SELECT json_agg(json_build_object('name', g.tgname, 'enabled', g.tgenabled, 'args', encode(g.tgargs, 'escape'), 'cloned', g.tgparentid <> 0)
        ORDER BY g.tgname) FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
        WHERE g.tgrelid = c.oid AND pn.nspname = $2 AND pg_catalog.starts_with(p.proname, 'audit_trigger_')) AS triggers,
      (SELECT string_agg(g.tgname || ':' || g.oid || ':' || g.xmin, ' ' ORDER BY g.tgname) FROM pg_catalog.pg_trigger g
        JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
        WHERE g.tgrelid = c.oid AND pn.nspname = $2 AND pg_catalog.starts_with(p.proname, 'audit_trigger_')) AS fingerprint
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> $2
  ) SELECT nspname || '.' || relname AS table, relispartition AS "isPartition", triggers, coalesce(fingerprint, '') AS fingerprint,
    pg_catalog.pg_get_userbyid(relowner) AS owner,
    (SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat(p.proname, ' ', p.prosrc), '' ORDER BY p.proname COLLATE "C", p.prosrc COLLATE "C"))
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
      WHERE pn.nspname = $2 AND pg_catalog.starts_with(p.proname, 'audit_trigger_')) AS sum,
    ${hasFunctions ? `${own}.audit_trigger_level(f.oid)` : `'statement'`} AS level,
    (SELECT array_agg(a.attname ORDER BY a.attnum)::text FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    ${hasFunctions ? `${own}.audit_trigger_key(f.oid)::text` : `'{}'`} AS key
  FROM found f WHERE triggers IS NOT NULL OR (nspname = $1 AND NOT relispartition) ORDER BY 1`;
}

interface Trigger {
  readonly name: string;
  readonly enabled: string;
  readonly args: readonly string[];
  readonly isCloned: boolean;
}

const STATEMENT = ['indelible_insert', 'indelible_update', 'indelible_delete', 'indelible_truncate'];
const ROW = ['!indelible', 'indelible_truncate'];

function readTable(row: Row): ListedTable {
  const triggers = readTriggers(row.triggers);
  const level = row.level === 'row' ? 'row' : 'statement';
  const names = new Set(triggers.map(({ name }) => name));
  const has = (wanted: readonly string[]): boolean => wanted.every((name) => names.has(name));
  const isPartition = row.isPartition === true;
  const problems: TriggerProblem[] = [];
  if (!has(ROW) && !has(STATEMENT)) problems.push('missing');
  if (triggers.some(({ enabled }) => enabled !== 'A')) problems.push('disabled');
  const own = triggers.filter(({ isCloned }) => !isCloned);
  // The arguments of a partition's triggers are those of its table, whose columns may stand in another order.
  if (
    !isPartition &&
    own.some(
      ({ args }) => args[0] !== String(FUNCTIONS_VERSION) || args[4] !== row.columns || args[8] !== row.key,
    )
  ) {
    problems.push('outdated');
  }
  if (triggers.length > 0 && !problems.includes('outdated') && row.sum !== FUNCTIONS_SUM)
    problems.push('replaced');
  if (triggers.length > 0 && level === 'row' && !names.has('!indelible') && !isPartition)
    problems.push('level');
  if (names.has('!indelible') && names.has('indelible_update')) problems.push('doubled');
  return {
    table: String(row.table),
    name: triggers[0]?.args[1] ?? null,
    level,
    problems,
    owner: String(row.owner),
    fingerprint: String(row.fingerprint),
  };
}

function readTriggers(value: unknown): readonly Trigger[] {
  if (!Array.isArray(value)) return [];
  return value.map((found: unknown) => {
    const { name, enabled, args, cloned } = found as Readonly<Record<string, unknown>>;
    return {
      name: String(name),
      enabled: String(enabled),
      args: readArguments(String(args)),
      isCloned: cloned === true,
    };
  });
}

/** As `encode(…, 'escape')` writes them: each ends with NUL, a backslash is doubled, what is not ASCII is octal. */
function readArguments(text: string): readonly string[] {
  const bytes = text.replace(/\\(?:\\|([0-7]{3}))/g, (_, octal: string | undefined) =>
    octal === undefined ? '\\' : String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8').split('\0').slice(0, -1);
}
