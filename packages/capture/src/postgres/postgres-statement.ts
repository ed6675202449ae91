import type { Statement, StatementKind } from '../statement.js';
import type { Token } from '../tokenize.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';

const KINDS = new Map<string, StatementKind>([
  ['SELECT', 'read'],
  ['VALUES', 'read'],
  ['TABLE', 'read'],
  ['DECLARE', 'read'],
  ['INSERT', 'write'],
  ['UPDATE', 'write'],
  ['DELETE', 'write'],
  ['MERGE', 'write'],
  ['TRUNCATE', 'write'],
  ['COPY', 'write'],
  ['CALL', 'write'],
  ['DO', 'write'],
  ['EXECUTE', 'write'],
  ['BEGIN', 'begin'],
  ['START', 'begin'],
  ['COMMIT', 'commit'],
  ['END', 'commit'],
  ['ROLLBACK', 'rollback'],
  ['ABORT', 'rollback'],
  ['SAVEPOINT', 'savepoint'],
  ['RELEASE', 'release'],
  ['CREATE', 'schema'],
  ['DROP', 'schema'],
  ['ALTER', 'schema'],
  ['IMPORT', 'schema'],
  ['GRANT', 'schema'],
  ['REVOKE', 'schema'],
]);
const STEERING: ReadonlySet<StatementKind> = new Set(['commit', 'rollback', 'savepoint', 'release']);
const ROW_WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);
/** COPY … FROM, and COPY (UPDATE … RETURNING …) TO. */
const COPIES_IN = new Set([...ROW_WRITES, 'FROM']);
const NOTHING: ReadonlySet<string> = new Set();
/** Statements that begin with these words and hold none of `WRITING` are no writes, and that is most of them. */
const WRITING = /\b(?:insert|update|delete|merge|into|truncate|copy|call|do|execute)\b|;/i;

const SETS_NAMES = /\b(?:set|reset)\b.*\b(?:role|search_path|schema|authorization|all)\b|\bdiscard\b/is;
/** With a setting that is none of these, or not told in the text. */
const CALLS_FOR_NAMES = /\bset_config\b(?!\s*\(\s*'(?!role'|search_path'|session_authorization')[^']*')/i;

/** Tells what a statement of PostgreSQL is. */
export function readPostgresStatement(sql: string): Statement {
  const statement = classify(sql);
  const isSetting = statement.kind === 'other' && SETS_NAMES.test(sql);
  return isSetting || CALLS_FOR_NAMES.test(sql) ? { ...statement, movesNames: true } : statement;
}

function classify(sql: string): Statement {
  const tokens = tokenizePostgres(sql);
  const first = tokens.find((token) => token.text !== '(' && token.text !== ';');
  const word = first?.kind === 'word' ? first.text.toUpperCase() : '';
  if (isSeveral(tokens)) return several(tokens);
  if (word === 'WITH' || word === 'SELECT' || word === 'EXPLAIN') {
    return nothing(WRITING.test(sql) && writesWithin(word, tokens) ? 'write' : 'read');
  }
  const kind = KINDS.get(word) ?? 'other';
  // What is prepared so is out of this connection's hands, and commits without it.
  if (word === 'PREPARE') return nothing(secondWord(tokens, first) === 'TRANSACTION' ? 'commit' : kind);
  if (word === 'CREATE' && createsFromWrite(tokens)) return nothing('write');
  if (kind === 'rollback' || kind === 'savepoint' || kind === 'release') return readSavepoint(kind, tokens);
  if (
    word === 'COPY' &&
    !tokens.some(({ kind, text }) => kind === 'word' && COPIES_IN.has(text.toUpperCase()))
  ) {
    return nothing('read');
  }
  return nothing(kind);
}

/** A write behind or inside of WITH, behind EXPLAIN ANALYZE, or SELECT INTO. */
function writesWithin(first: string, tokens: readonly Token[]): boolean {
  if (first === 'EXPLAIN' && !tokens.some((token) => token.text.toUpperCase() === 'ANALYZE')) return false;
  let depth = 0;
  return tokens.some((token, at) => {
    if (token.text === '(' && token.kind === 'punctuation') depth += 1;
    if (token.text === ')' && token.kind === 'punctuation') depth -= 1;
    if (token.kind !== 'word') return false;
    const word = token.text.toUpperCase();
    // FOR UPDATE locks rows, ON CONFLICT DO UPDATE follows an INSERT.
    const before = tokens[at - 1]?.text.toUpperCase() ?? '';
    if (ROW_WRITES.has(word)) return before === '' || before === '(' || before === ')' || first === 'EXPLAIN';
    if (word === 'EXECUTE') return first === 'EXPLAIN';
    return word === 'INTO' && depth === 0 && first !== 'EXPLAIN';
  });
}

/** CREATE TABLE … AS, of rows that a statement inside of WITH gives, or a prepared one. */
function createsFromWrite(tokens: readonly Token[]): boolean {
  const words = tokens.filter(({ kind }) => kind === 'word').map(({ text }) => text.toUpperCase());
  const as = words.indexOf('AS');
  const makesRows = words.slice(1, 4).some((word) => word === 'TABLE' || word === 'MATERIALIZED');
  if (as === -1 || !makesRows) return false;
  return words[as + 1] === 'EXECUTE' || (words[as + 1] === 'WITH' && writesWithin('WITH', tokens));
}

function secondWord(tokens: readonly Token[], first: Token | undefined): string {
  const second = first === undefined ? undefined : tokens[tokens.indexOf(first) + 1];
  return second?.kind === 'word' ? second.text.toUpperCase() : '';
}

/** More than one statement in one string. */
export function isSeveral(tokens: readonly Token[]): boolean {
  const end = tokens.findIndex((token) => token.kind === 'punctuation' && token.text === ';');
  return end !== -1 && tokens.slice(end).some((token) => token.text !== ';');
}

/** Several statements in one string: a write if one of them may be one. */
function several(tokens: readonly Token[]): Statement {
  const words = tokens.filter(({ kind }) => kind === 'word').map(({ text }) => text.toUpperCase());
  const steers = tokens.some(
    (token, at) => (at === 0 || tokens[at - 1]?.text === ';') && STEERING.has(kindOf(token) ?? 'read'),
  );
  const kind = words.some((word) => KINDS.get(word) === 'write')
    ? 'write'
    : words.some((word) => KINDS.get(word) === 'schema')
      ? 'schema'
      : 'other';
  return steers ? { ...nothing(kind), steers } : nothing(kind);
}

function kindOf({ kind, text }: Token): StatementKind | undefined {
  if (kind !== 'word') return undefined;
  return KINDS.get(text.toUpperCase());
}

function readSavepoint(kind: 'rollback' | 'savepoint' | 'release', tokens: readonly Token[]): Statement {
  const names = tokens.filter((token) => token.kind !== 'punctuation');
  const last = names.at(-1);
  const words = names.slice(1, -1).map(({ text }) => text.toUpperCase());
  if (last === undefined || names.length < 2) return nothing(kind);
  if (kind === 'rollback' && !words.includes('TO')) return nothing(kind);
  const savepoint = last.kind === 'quoted' ? last.text : foldIdentifier(last.text);
  return { ...nothing(kind === 'rollback' ? 'rollback-to' : kind), savepoint };
}

function nothing(kind: StatementKind): Statement {
  return { kind, names: NOTHING, words: NOTHING, assigned: NOTHING };
}
