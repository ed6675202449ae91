import type { CaptureConnection } from '../dialect.js';
import type { Token } from '../tokenize.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';

/** What may write rows when a statement names it. */
export interface WritingNames {
  /** The application's functions that may write rows, themselves or by calling another one. */
  readonly functions: ReadonlySet<string>;
  /** Views and tables of which a query, a policy, a default or a constraint calls one of them: the function by relation. */
  readonly relations: ReadonlyMap<string, RelationCalls>;
  /** Operators that call one of them: the function by the operator's characters. */
  readonly operators: ReadonlyMap<string, string>;
}

interface RelationCalls {
  readonly function: string;
  /** Only where rows are written: a default, a constraint. */
  readonly onlyWhenWritten: boolean;
}

export const NO_WRITING_NAMES: WritingNames = {
  functions: new Set(),
  relations: new Map(),
  operators: new Map(),
};

const OWN = `p.pronamespace NOT IN
  (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('pg_catalog', 'information_schema'))`;
// A function in another language, or with a body that the parser has kept, is not looked into.
const WRITING = `SELECT p.oid::text, p.proname::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE ${OWN}
  AND p.provolatile = 'v' AND p.prokind IN ('f', 'p') AND l.lanname NOT IN ('c', 'internal')
  AND (l.lanname NOT IN ('sql', 'plpgsql') OR p.prosqlbody IS NOT NULL
    OR p.prosrc ~* '\\m(insert|update|delete|merge|truncate|copy|execute|perform|call|indelible)\\M')`;
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
const OPERATORS = `SELECT o.oprname::text, p.proname::text FROM pg_catalog.pg_operator o
  JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode WHERE o.oprcode::oid::text = ANY ($1::text[])`;
/** The application's types whose casts or, of domains, constraints call one, and the tables that have a column of such a type. */
const TYPES = `WITH calling(type, function) AS (
    SELECT y.oid, c.castfunc FROM pg_catalog.pg_cast c
      JOIN pg_catalog.pg_type y ON y.oid IN (c.castsource, c.casttarget) WHERE c.castfunc::text = ANY ($1::text[])
    UNION SELECT o.contypid, d.refobjid FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_constraint o ON d.classid = 'pg_catalog.pg_constraint'::regclass AND o.oid = d.objid
      WHERE o.contypid <> 0 AND d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid::text = ANY ($1::text[])),
  own AS (SELECT y.oid, y.typname, p.proname FROM calling c JOIN pg_catalog.pg_type y ON y.oid = c.type
    JOIN pg_catalog.pg_proc p ON p.oid = c.function WHERE y.typnamespace <> 'pg_catalog'::regnamespace)
SELECT o.typname::text, o.proname::text FROM own o
UNION SELECT r.relname::text, o.proname::text FROM own o
  JOIN pg_catalog.pg_attribute a ON a.atttypid = o.oid JOIN pg_catalog.pg_class r ON r.oid = a.attrelid
  WHERE r.relkind <> 'c'`;
/** Changes whenever one of the application's functions does, or what calls them unseen: of their rows the versions. */
const STATE = `SELECT pg_catalog.concat_ws(' ', ${[
  'proc',
  'operator',
  'cast',
  'rewrite',
  'policy',
  'attrdef',
  'constraint',
]
  .map(
    (catalogue) =>
      `(SELECT pg_catalog.bit_xor(pg_catalog.hashtidextended(ctid, xmin::text::int8)) FROM pg_catalog.pg_${catalogue} WHERE oid >= 16384)`,
  )
  .join(', ')})`;

/** What is compared to tell whether `readWritingNames` would give the same. */
export async function readWritingState(connection: CaptureConnection): Promise<string> {
  const [row] = await connection.query(STATE);
  return String(row?.[0]);
}

/** Reads which functions of the application may write rows when a query calls them, and what calls them unseen. */
export async function readWritingNames(connection: CaptureConnection): Promise<WritingNames> {
  const writing = new Map<string, string>();
  for (const [oid, name] of await connection.query(WRITING)) writing.set(String(oid), String(name));
  if (writing.size === 0) return NO_WRITING_NAMES;
  addCallers(writing, await connection.query(OTHERS));
  const relations = new Map<string, RelationCalls>();
  const oids = [`{${[...writing.keys()].join(',')}}`];
  for (const [name, called, isOnly] of await connection.query(RELATIONS, oids)) {
    const onlyWhenWritten = isTrue(isOnly) && relations.get(String(name))?.onlyWhenWritten !== false;
    relations.set(String(name), { function: String(called), onlyWhenWritten });
  }
  for (const [name, called] of await connection.query(TYPES, oids)) {
    relations.set(String(name), { function: String(called), onlyWhenWritten: false });
  }
  const operators = new Map<string, string>();
  for (const [name, called] of await connection.query(OPERATORS, oids)) {
    operators.set(String(name), String(called));
  }
  return { functions: new Set(writing.values()), relations, operators };
}

/**
 * Names the functions that may write rows and that the statement calls, itself or by what it reads or writes.
 * @param isQuery false: it writes rows itself
 */
export function writingCallsOf(
  sql: string,
  { functions, relations, operators }: WritingNames,
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
  const symbols = operators.size === 0 ? [] : operatorsOf(tokens);
  const meant = symbols.flatMap((symbol) => {
    const name = operators.get(symbol);
    return name === undefined ? [] : [`${name} behind the operator ${symbol}`];
  });
  return [...new Set([...called, ...meant])];
}

/**
 * The operators of a statement, as the lexer takes them: as many characters as stand together, but for a sign at the end of
 * one that has none of some characters.
 */
function operatorsOf(tokens: readonly Token[]): readonly string[] {
  const symbols: string[] = [];
  let end = -1;
  for (const { kind, text, start, end: next } of tokens) {
    if (kind !== 'punctuation' || !/[-+*/<>=~!@#%^&|`?]/.test(text)) continue;
    if (start === end) symbols.push(`${symbols.pop() ?? ''}${text}`);
    else symbols.push(text);
    end = next;
  }
  return symbols.map((symbol) =>
    symbol.length > 1 && !/[~!@#%^&|`?]/.test(symbol) ? symbol.replace(/(?<=.)[-+]+$/, '') : symbol,
  );
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
