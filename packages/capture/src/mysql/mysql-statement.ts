import type { Statement, StatementKind } from '../statement.js';
import type { Token } from '../tokenize.js';
import { EXECUTABLE_COMMENT, type TokenMode, tokenizeMysql } from './mysql-tokens.js';

const KINDS = new Map<string, StatementKind>([
  ['SELECT', 'read'],
  ['VALUES', 'read'],
  ['TABLE', 'read'],
  ['SHOW', 'read'],
  ['DESCRIBE', 'read'],
  ['DESC', 'read'],
  ['EXPLAIN', 'read'],
  ['INSERT', 'write'],
  ['REPLACE', 'write'],
  ['UPDATE', 'write'],
  ['DELETE', 'write'],
  ['TRUNCATE', 'write'],
  ['LOAD', 'write'],
  ['IMPORT', 'schema'],
  ['CALL', 'write'],
  ['DO', 'write'],
  ['EXECUTE', 'write'],
  // Compound statements of MariaDB.
  ['IF', 'write'],
  ['CASE', 'write'],
  ['FOR', 'write'],
  ['LOOP', 'write'],
  ['REPEAT', 'write'],
  ['WHILE', 'write'],
  ['BEGIN', 'begin'],
  ['START', 'begin'],
  ['XA', 'begin'],
  ['LOCK', 'begin'],
  ['UNLOCK', 'begin'],
  ['COMMIT', 'commit'],
  ['ROLLBACK', 'rollback'],
  ['SAVEPOINT', 'savepoint'],
  ['RELEASE', 'release'],
  ['CREATE', 'schema'],
  ['DROP', 'schema'],
  ['ALTER', 'schema'],
  ['RENAME', 'schema'],
  ['GRANT', 'schema'],
  ['REVOKE', 'schema'],
  ['OPTIMIZE', 'schema'],
  ['REPAIR', 'schema'],
  ['FLUSH', 'schema'],
  ['RESET', 'schema'],
  ['INSTALL', 'schema'],
  ['UNINSTALL', 'schema'],
  ['CACHE', 'schema'],
]);
const ROW_WRITES = new Set(['INSERT', 'REPLACE', 'UPDATE', 'DELETE']);
const STEERING: ReadonlySet<StatementKind> = new Set(['commit', 'rollback', 'savepoint', 'release', 'begin']);
const NOTHING: ReadonlySet<string> = new Set();
/** Of `ANALYZE … TABLE`, `CHECK TABLE`, `SET PASSWORD`: what commits before it runs. */
const MAINTENANCE = /^(?:ANALYZE|CHECK)$/;

/** Tells what a statement of MySQL or MariaDB is. */
export function readMysqlStatement(sql: string, mode: TokenMode): Statement {
  const tokens = tokenizeMysql(sql, mode);
  const first = tokens.find(({ text }) => text !== '(' && text !== ';' && text !== EXECUTABLE_COMMENT);
  const word = wordOf(first);
  if (isSeveral(tokens)) return several(tokens);
  const kind = kindOf(word, tokens, first);
  if (kind === 'rollback' || kind === 'savepoint' || kind === 'release') return readSavepoint(kind, tokens);
  const commits =
    kind === 'begin' || word === 'TRUNCATE' || (kind === 'schema' && !isTemporary(word, tokens));
  const movesNames = word === 'USE' || word === 'SET';
  return {
    ...nothing(kind),
    ...(commits ? { commits } : {}),
    ...(movesNames ? { movesNames } : {}),
  };
}

function kindOf(word: string, tokens: readonly Token[], first: Token | undefined): StatementKind {
  const words = tokens.flatMap((token) => (token.kind === 'word' ? [token.text.toUpperCase()] : []));
  const second = wordOf(tokens[first === undefined ? 0 : tokens.indexOf(first) + 1]);
  if (word === 'WITH') return words.some((other) => ROW_WRITES.has(other)) ? 'write' : 'read';
  // ANALYZE UPDATE … of MariaDB runs it.
  if (MAINTENANCE.test(word)) {
    if (second === 'TABLE' || second === 'LOCAL' || second === 'NO_WRITE_TO_BINLOG') return 'schema';
    return words.some((other) => ROW_WRITES.has(other)) ? 'write' : 'read';
  }
  if (word === 'BEGIN' && second === 'NOT') return 'write';
  if (word === 'SET')
    return words.includes('AUTOCOMMIT') || /autocommit/i.test(textOf(tokens)) ? 'begin' : 'other';
  return KINDS.get(word) ?? 'other';
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ text }) => text).join(' ');
}

/** A temporary table is made and dropped inside of a transaction. */
function isTemporary(word: string, tokens: readonly Token[]): boolean {
  if (word !== 'CREATE' && word !== 'DROP') return false;
  return tokens.slice(1, 4).some((token) => wordOf(token) === 'TEMPORARY');
}

function wordOf(token: Token | undefined): string {
  return token?.kind === 'word' ? token.text.toUpperCase() : '';
}

/** More than one statement in one string. */
export function isSeveral(tokens: readonly Token[]): boolean {
  const end = tokens.findIndex((token) => token.kind === 'punctuation' && token.text === ';');
  return end !== -1 && tokens.slice(end).some((token) => token.text !== ';');
}

/** Several statements in one string: a write if one of them may be one. */
function several(tokens: readonly Token[]): Statement {
  const words = tokens.map(wordOf);
  const firsts = words.filter((_, at) => at === 0 || tokens[at - 1]?.text === ';');
  const steers = firsts.some((word) => STEERING.has(KINDS.get(word) ?? 'read'));
  const commits = firsts.some((word) => KINDS.get(word) === 'schema' || word === 'TRUNCATE');
  const kind = words.some((word) => KINDS.get(word) === 'write')
    ? 'write'
    : words.some((word) => KINDS.get(word) === 'schema')
      ? 'schema'
      : 'other';
  return { ...nothing(kind), ...(steers ? { steers } : {}), ...(commits ? { commits } : {}) };
}

function readSavepoint(kind: 'rollback' | 'savepoint' | 'release', tokens: readonly Token[]): Statement {
  const names = tokens.filter((token) => token.kind !== 'punctuation');
  const last = names.at(-1);
  const words = names.slice(1, -1).map(wordOf);
  if (last === undefined || names.length < 2) return nothing(kind);
  if (kind === 'rollback' && !words.includes('TO')) return nothing(kind);
  // Names of savepoints are the same in any case.
  const savepoint = last.text.toLowerCase();
  return { ...nothing(kind === 'rollback' ? 'rollback-to' : kind), savepoint };
}

function nothing(kind: StatementKind): Statement {
  return { kind, names: NOTHING, words: NOTHING, assigned: NOTHING };
}
