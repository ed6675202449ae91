import type { CaptureConnection } from '../dialect.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';

// A function in another language, or with a body that the parser has kept, is not looked into.
const QUERY = `SELECT DISTINCT p.proname::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.pronamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('pg_catalog', 'information_schema'))
  AND p.provolatile = 'v' AND p.prokind IN ('f', 'p') AND l.lanname NOT IN ('c', 'internal')
  AND (l.lanname NOT IN ('sql', 'plpgsql') OR p.prosqlbody IS NOT NULL
    OR p.prosrc ~* '\\m(insert|update|delete|merge|truncate|copy|execute|perform|call)\\M')`;

/** The names of the application's functions that may write rows when a query calls them. */
export async function readWritingFunctions(connection: CaptureConnection): Promise<ReadonlySet<string>> {
  const rows = await connection.query(QUERY);
  return new Set(rows.map(([name]) => String(name)));
}

/** Those of `names` that the statement calls. */
export function callsOf(sql: string, names: ReadonlySet<string>): readonly string[] {
  if (names.size === 0) return [];
  const tokens = tokenizePostgres(sql);
  const called = tokens.flatMap(({ kind, text }, at) => {
    const next = tokens[at + 1];
    if (next?.kind !== 'punctuation' || next.text !== '(' || (kind !== 'word' && kind !== 'quoted'))
      return [];
    const name = kind === 'word' ? foldIdentifier(text) : text;
    return names.has(name) ? [name] : [];
  });
  return [...new Set(called)];
}
