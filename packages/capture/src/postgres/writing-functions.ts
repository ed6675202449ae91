import type { CaptureConnection } from '../dialect.js';
import type { Token } from '../tokenize.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';

/** What may write rows when a statement names it. */
export interface WritingNames {
  /** The application's functions that may write rows, themselves or by calling another one. */
  readonly functions: ReadonlySet<string>;
  /** Views and tables of which a query, a policy, a default or a constraint calls one of them: the function by relation. */
  readonly relations: ReadonlyMap<string, RelationCalls>;
}

interface RelationCalls {
  readonly function: string;
  /** Only where rows are written: a default, a constraint. */
  readonly onlyWhenWritten: boolean;
}

export const NO_WRITING_NAMES: WritingNames = { functions: new Set(), relations: new Map() };

const OWN = `p.pronamespace NOT IN
  (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('pg_catalog', 'information_schema'))`;
// A function in another language, or with a body that the parser has kept, is not looked into.
const WRITING = `SELECT p.oid::text, p.proname::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE ${OWN}
  AND p.provolatile = 'v' AND p.prokind IN ('f', 'p') AND l.lanname NOT IN ('c', 'internal')
  AND (l.lanname NOT IN ('sql', 'plpgsql') OR p.prosqlbody IS NOT NULL
    OR p.prosrc ~* '\\m(insert|update|delete|merge|truncate|copy|execute|perform|call)\\M')`;
const OTHERS = `SELECT p.oid::text, p.proname::text, CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN p.prosrc ELSE '' END,
  array(SELECT d.refobjid::text FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::regclass
    AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass)::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE ${OWN} AND (p.prokind = 'a' OR l.lanname NOT IN ('c', 'internal'))`;
/** A view that reads one which calls the function calls it too, and so does one of a table with such a policy. */
const RELATIONS = `WITH RECURSIVE direct(relation, function, only_written) AS (
    SELECT coalesce(w.ev_class, f.adrelid, o.conrelid, y.polrelid), d.refobjid, w.oid IS NULL AND y.oid IS NULL
    FROM pg_catalog.pg_depend d
      LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
      LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND f.oid = d.objid
      LEFT JOIN pg_catalog.pg_constraint o ON d.classid = 'pg_catalog.pg_constraint'::regclass AND o.oid = d.objid
      LEFT JOIN pg_catalog.pg_policy y ON d.classid = 'pg_catalog.pg_policy'::regclass AND y.oid = d.objid
    WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid::text = ANY ($1::text[])),
  calling AS (SELECT * FROM direct WHERE relation <> 0
    UNION SELECT w.ev_class, c.function, false FROM calling c
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.relation
      JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
    WHERE NOT c.only_written)
SELECT r.relname::text, p.proname::text, c.only_written
FROM calling c JOIN pg_catalog.pg_class r ON r.oid = c.relation JOIN pg_catalog.pg_proc p ON p.oid = c.function`;

/** Reads which functions of the application may write rows when a query calls them, and what calls them unseen. */
export async function readWritingNames(connection: CaptureConnection): Promise<WritingNames> {
  const writing = new Map<string, string>();
  for (const [oid, name] of await connection.query(WRITING)) writing.set(String(oid), String(name));
  if (writing.size === 0) return NO_WRITING_NAMES;
  addCallers(writing, await connection.query(OTHERS));
  const relations = new Map<string, RelationCalls>();
  for (const [name, called, isOnly] of await connection.query(RELATIONS, [
    `{${[...writing.keys()].join(',')}}`,
  ])) {
    const onlyWhenWritten = isTrue(isOnly) && relations.get(String(name))?.onlyWhenWritten !== false;
    relations.set(String(name), { function: String(called), onlyWhenWritten });
  }
  return { functions: new Set(writing.values()), relations };
}

/**
 * Names the functions that may write rows and that the statement calls, itself or by what it reads or writes.
 * @param isQuery false: it writes rows itself
 */
export function writingCallsOf(
  sql: string,
  { functions, relations }: WritingNames,
  isQuery: boolean,
): readonly string[] {
  if (functions.size === 0) return [];
  const tokens = tokenizePostgres(sql);
  const called = tokens.flatMap(({ kind, text }, at) => {
    if (kind !== 'word' && kind !== 'quoted') return [];
    const name = kind === 'word' ? foldIdentifier(text) : text;
    const next = tokens[at + 1];
    if (next?.text === '(' && functions.has(name) && !isDefinition(tokens, at)) return [name];
    const relation = relations.get(name);
    if (relation === undefined || (isQuery && relation.onlyWhenWritten)) return [];
    return [`${relation.function} behind "${name}"`];
  });
  return [...new Set(called)];
}

/**
 * The functions that the statement makes: nobody has looked at them when they are called next.
 */
export function functionsMadeBy(sql: string): readonly string[] {
  if (!/\b(?:function|procedure)\b/i.test(sql)) return [];
  const tokens = tokenizePostgres(sql);
  return tokens.flatMap(({ kind, text }, at) => {
    if ((kind !== 'word' && kind !== 'quoted') || tokens[at + 1]?.text !== '(') return [];
    return isDefinition(tokens, at) ? [kind === 'word' ? foldIdentifier(text) : text] : [];
  });
}

/** `FUNCTION name(` or `FUNCTION schema.name(`: it is made, dropped, or given to a trigger, and not called. */
function isDefinition(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1]?.text === '.' ? tokens[at - 3] : tokens[at - 1];
  return before?.kind === 'word' && /^(?:function|procedure|routine)$/i.test(before.text);
}

/** Adds the functions that call one of those which are known to write, until there are no more. */
function addCallers(writing: Map<string, string>, others: readonly (readonly unknown[])[]): void {
  let waiting = others.map(([oid, name, source, uses]) => ({
    oid: String(oid),
    name: String(name),
    calls: new Set(namesCalled(String(source))),
    uses: String(uses).replace(/[{}]/g, '').split(','),
  }));
  for (;;) {
    const names = new Set(writing.values());
    const found = waiting.filter(
      ({ oid, calls, uses }) =>
        !writing.has(oid) &&
        ([...calls].some((name) => names.has(name)) || uses.some((used) => writing.has(used))),
    );
    if (found.length === 0) return;
    for (const { oid, name } of found) writing.set(oid, name);
    waiting = waiting.filter(({ oid }) => !writing.has(oid));
  }
}

function namesCalled(source: string): readonly string[] {
  return [...source.matchAll(/(?:"([^"]+)"|([\p{L}_][\p{L}\p{N}_$]*))\s*\(/gu)].map(
    ([, quoted, word]) => quoted ?? foldIdentifier(word ?? ''),
  );
}

function isTrue(value: unknown): boolean {
  return value === true || value === 't' || value === 'true';
}
