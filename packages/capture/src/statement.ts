import { type Token, tokenize } from './tokenize.js';

/**
 * What a statement is to the engine. `write` may change rows; `read` can not; `schema` changes tables; the rest steer
 * the transaction; `other` is left alone (PRAGMA, SET, VACUUM).
 */
export type StatementKind =
  | 'read'
  | 'write'
  | 'schema'
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'rollback-to'
  | 'other';

export interface Statement {
  readonly kind: StatementKind;
  /** Every name that the statement could mean by a table, in lower case. Empty unless it is a write. */
  readonly names: ReadonlySet<string>;
  /** The unquoted words in upper case. Empty unless it is a write. */
  readonly words: ReadonlySet<string>;
  /** The names that stand in a SET clause, in lower case: no other column is assigned by an UPDATE. */
  readonly assigned: ReadonlySet<string>;
  /** The savepoint of `savepoint`, `release` and `rollback-to`. */
  readonly savepoint?: string;
}

const FIRST_WORD = /^(?:[\s\uFEFF;(]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*([A-Za-z]+)/;
const KINDS = new Map<string, StatementKind>([
  ['SELECT', 'read'],
  ['VALUES', 'read'],
  ['EXPLAIN', 'read'],
  ['INSERT', 'write'],
  ['UPDATE', 'write'],
  ['DELETE', 'write'],
  ['REPLACE', 'write'],
  ['MERGE', 'write'],
  ['TRUNCATE', 'write'],
  ['BEGIN', 'begin'],
  ['START', 'begin'],
  ['COMMIT', 'commit'],
  ['END', 'commit'],
  ['ROLLBACK', 'rollback'],
  ['SAVEPOINT', 'savepoint'],
  ['RELEASE', 'release'],
  ['CREATE', 'schema'],
  ['DROP', 'schema'],
  ['ALTER', 'schema'],
  ['REINDEX', 'schema'],
]);
const TRIGGER = /^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP(?:ORARY)?\s+|CONSTRAINT\s+)?TRIGGER\b/i;
const CLAUSE_END = new Set(['WHERE', 'FROM', 'RETURNING', 'ORDER', 'LIMIT', 'ON']);
const NOTHING: ReadonlySet<string> = new Set();
const MAX_CACHED = 1_000;
const MAX_CACHED_LENGTH = 20_000;

/** Classifies statements, with a bounded cache by text. */
export class StatementReader {
  readonly #cache = new Map<string, Statement>();

  read(sql: string): Statement {
    const cached = this.#cache.get(sql);
    if (cached !== undefined) return cached;
    const statement = readStatement(sql);
    if (sql.length <= MAX_CACHED_LENGTH) {
      if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
      this.#cache.set(sql, statement);
    }
    return statement;
  }
}

/** Reads one string of SQL. Several statements in one string are a write if any of them is. */
export function readStatement(sql: string): Statement {
  const first = FIRST_WORD.exec(sql)?.[1]?.toUpperCase() ?? '';
  const several = hasSecondStatement(sql);
  const kind = KINDS.get(first) ?? 'other';
  if (kind === 'schema' && TRIGGER.test(sql)) return nothing(kind);
  if (several || first === 'WITH') return readTokens(tokenize(sql), several);
  if (kind === 'write') return write(tokenize(sql));
  if (kind === 'rollback' || kind === 'savepoint' || kind === 'release')
    return readSavepoint(kind, tokenize(sql));
  return nothing(kind);
}

function nothing(kind: StatementKind): Statement {
  return { kind, names: NOTHING, words: NOTHING, assigned: NOTHING };
}

/** A semicolon with anything but white space behind it may start another statement. */
function hasSecondStatement(sql: string): boolean {
  const semicolon = sql.indexOf(';');
  return semicolon !== -1 && sql.slice(semicolon + 1).trim() !== '';
}

function readTokens(tokens: readonly Token[], several: boolean): Statement {
  let schema = false;
  for (const [position, token] of tokens.entries()) {
    if (token.kind !== 'word') continue;
    const word = token.text.toUpperCase();
    const next = tokens[position + 1];
    // replace() is also a function, and `SET` or `DO` follow UPDATE in an upsert, which is found by its INSERT.
    const isFunction = next?.kind === 'punctuation' && next.text === '(';
    if (KINDS.get(word) === 'write' && !isFunction) return write(tokens);
    if (several && KINDS.get(word) === 'schema') schema = true;
  }
  return nothing(schema ? 'schema' : 'read');
}

function write(tokens: readonly Token[]): Statement {
  const names = new Set<string>();
  const words = new Set<string>();
  for (const token of tokens) {
    if (token.kind === 'word') {
      words.add(token.text.toUpperCase());
      names.add(token.text.toLowerCase());
    } else if (token.kind === 'quoted') {
      names.add(token.text.toLowerCase());
    } else if (token.kind === 'literal' && token.text.startsWith("'")) {
      // SQLite takes a string literal for an identifier where only an identifier can stand.
      names.add(token.text.slice(1, -1).replaceAll("''", "'").toLowerCase());
    }
  }
  return { kind: 'write', names, words, assigned: assignedNames(tokens) };
}

/** What stands between SET and the end of its clause. A function call or a sub-select in it only adds names. */
function assignedNames(tokens: readonly Token[]): Set<string> {
  const names = new Set<string>();
  let depth = 0;
  let clause = -1;
  for (const token of tokens) {
    if (token.kind === 'punctuation') {
      if (token.text === '(') depth += 1;
      if (token.text === ')') depth -= 1;
      if (depth < clause || token.text === ';') clause = -1;
      continue;
    }
    const word = token.kind === 'word' ? token.text.toUpperCase() : '';
    if (word === 'SET') clause = depth;
    else if (clause === depth && CLAUSE_END.has(word)) clause = -1;
    else if (clause !== -1 && token.kind !== 'literal') names.add(token.text.toLowerCase());
    else if (clause !== -1) names.add(token.text.replaceAll("'", '').toLowerCase());
  }
  return names;
}

function readSavepoint(kind: 'rollback' | 'savepoint' | 'release', tokens: readonly Token[]): Statement {
  const names = tokens.filter((token) => token.kind !== 'punctuation');
  const skipped = new Set(['ROLLBACK', 'TRANSACTION', 'WORK', 'TO', 'SAVEPOINT', 'RELEASE']);
  const last = names.at(-1);
  const isName =
    last !== undefined && names.length > 1 && (last.kind !== 'word' || !skipped.has(last.text.toUpperCase()));
  const toSavepoint = kind !== 'rollback' || names.some((token) => token.text.toUpperCase() === 'TO');
  if (!isName || !toSavepoint) return nothing(kind);
  return { ...nothing(kind === 'rollback' ? 'rollback-to' : kind), savepoint: last.text.toLowerCase() };
}

/** The statement's text for an event: every literal becomes `?`, so that no value stands in it. */
export function textWithoutValues(sql: string, limit = 2_000): string {
  let text = '';
  let at = 0;
  for (const token of tokenize(sql)) {
    const gap = sql.slice(at, token.start);
    // A comment may carry values too.
    text += gap === '' ? '' : ' ';
    text += token.kind === 'literal' ? '?' : sql.slice(token.start, token.end);
    at = token.end;
    if (text.length > limit) return `${text.slice(0, limit)}…`;
  }
  return text.trim();
}
