import { foldName, nextToken, type Token, tokenize } from './tokenize.js';

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
  /** Every name that the statement could mean by a table, folded. Empty unless it is a write. */
  readonly names: ReadonlySet<string>;
  /** The unquoted words in upper case, but for a `replace` that is a function. Empty unless it is a write. */
  readonly words: ReadonlySet<string>;
  /** The names that stand in a SET clause, folded: no other column is assigned by an UPDATE. */
  readonly assigned: ReadonlySet<string>;
  /** The savepoint of `savepoint`, `release` and `rollback-to`. */
  readonly savepoint?: string;
  /** The role or the search path may be another one once it has run. @default false */
  readonly movesNames?: boolean;
  /** It commits the transaction before it runs, as the changes of schemas do in some databases. @default false */
  readonly commits?: boolean;
  /** One of several statements in one string that begins or ends a transaction or a savepoint. @default false */
  readonly steers?: boolean;
}

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
  ['ATTACH', 'schema'],
  ['DETACH', 'schema'],
]);
const WORD = /[A-Za-z_\u0080-\uFFFF][A-Za-z0-9_\u0080-\uFFFF]*/g;
const CLAUSE_END = new Set(['WHERE', 'FROM', 'RETURNING', 'ORDER', 'LIMIT', 'ON']);
const NOTHING: ReadonlySet<string> = new Set();
const MAX_CACHED = 1_000;
const MAX_CACHED_LENGTH = 20_000;

/** Classifies statements, with a bounded cache by text. */
export class StatementReader {
  readonly #cache = new Map<string, Statement>();

  constructor(private readonly readNew: (sql: string) => Statement) {}

  read(sql: string): Statement {
    const cached = this.#cache.get(sql);
    if (cached !== undefined) return cached;
    const statement = this.readNew(sql);
    if (sql.length <= MAX_CACHED_LENGTH) {
      if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
      this.#cache.set(sql, statement);
    }
    return statement;
  }

  /** Something that `readNew` goes by has changed. */
  forget(): void {
    this.#cache.clear();
  }
}

/**
 * Reads one string of SQL. Of several statements in one string a write makes it a write, because some drivers run them
 * all; only where the first one steers the transaction or changes the schema it decides, because those of SQLite run no
 * other.
 */
export function readStatement(sql: string): Statement {
  const first = firstWord(sql);
  const kind = KINDS.get(first) ?? 'other';
  const isPlain = kind === 'read' || kind === 'other';
  if (isPlain && first !== 'WITH' && first !== 'EXPLAIN' && !sql.includes(';')) return nothing(kind);
  const tokens = tokenize(sql);
  switch (kind) {
    case 'write':
      return write(tokens);
    case 'rollback':
    case 'savepoint':
    case 'release':
      return readSavepoint(kind, firstStatement(tokens));
    case 'read':
    case 'other':
      return readTokens(kind, first, tokens);
    default:
      return nothing(kind);
  }
}

function firstWord(sql: string): string {
  let token = nextToken(sql, 0);
  while (token?.kind === 'punctuation' && (token.text === ';' || token.text === '(')) {
    token = nextToken(sql, token.end);
  }
  return token?.kind === 'word' ? token.text.toUpperCase() : '';
}

function nothing(kind: StatementKind): Statement {
  return { kind, names: NOTHING, words: NOTHING, assigned: NOTHING };
}

function firstStatement(tokens: readonly Token[]): readonly Token[] {
  const isEnd = (token: Token | undefined): boolean => token?.kind === 'punctuation' && token.text === ';';
  const start = tokens.findIndex((token) => !isEnd(token));
  const end = tokens.findIndex((token, position) => position > start && isEnd(token));
  return tokens.slice(start, end === -1 ? undefined : end);
}

/** What begins like a read may be a write: behind a CTE, behind EXPLAIN ANALYZE, or behind a semicolon. */
function readTokens(kind: 'read' | 'other', first: string, tokens: readonly Token[]): Statement {
  const found = namesAndWords(tokens);
  const isWrite = [...found.words].some((word) => KINDS.get(word) === 'write');
  const isPlan = first === 'EXPLAIN' && !found.words.has('ANALYZE') && !isSeveral(tokens);
  if (isWrite && !isPlan) return write(tokens);
  return nothing(first === 'WITH' ? 'read' : kind);
}

function isSeveral(tokens: readonly Token[]): boolean {
  return firstStatement(tokens).length < tokens.filter((token) => token.text !== ';').length;
}

function write(tokens: readonly Token[]): Statement {
  return { kind: 'write', ...namesAndWords(tokens), assigned: assignedNames(tokens) };
}

/** The names that could be meant by tables, and the words that could be verbs. */
export function namesAndWords(tokens: readonly Token[]): Pick<Statement, 'names' | 'words'> {
  const names = new Set<string>();
  const words = new Set<string>();
  for (const [position, token] of tokens.entries()) {
    if (token.kind === 'word') {
      const word = token.text.toUpperCase();
      names.add(foldName(token.text));
      if (word !== 'REPLACE' || tokens[position + 1]?.text !== '(') words.add(word);
    } else if (token.kind === 'quoted') {
      names.add(foldName(token.text));
    } else if (token.kind === 'literal' && token.text.startsWith("'")) {
      // SQLite takes a string literal for an identifier where only an identifier can stand.
      names.add(foldName(unquoted(token)));
    } else if (token.kind === 'literal' && token.text.startsWith('$')) {
      // SQLite knows no dollar quotes: what looks like one is a parameter, and what it seems to hold is the statement.
      for (const [word] of token.text.matchAll(WORD)) {
        names.add(foldName(word));
        words.add(word.toUpperCase());
      }
    }
  }
  return { names, words };
}

function unquoted(token: Token): string {
  return token.text.startsWith("'") ? token.text.slice(1, -1).replaceAll("''", "'") : token.text;
}

/** What stands between SET and the end of its clause. A function call or a sub-select in it only adds names. */
function assignedNames(tokens: readonly Token[]): Set<string> {
  const names = new Set<string>();
  let depth = 0;
  let clause = -1;
  let previous = '';
  for (const token of tokens) {
    if (token.kind === 'punctuation') {
      if (token.text === '(') depth += 1;
      if (token.text === ')') depth -= 1;
      if (depth < clause || token.text === ';') clause = -1;
      continue;
    }
    const word = token.kind === 'word' ? token.text.toUpperCase() : '';
    if (word === 'SET') clause = depth;
    else if (clause === depth && CLAUSE_END.has(word) && previous !== 'DISTINCT') clause = -1;
    else if (clause !== -1) names.add(foldName(unquoted(token)));
    previous = word;
  }
  return names;
}

function readSavepoint(kind: 'rollback' | 'savepoint' | 'release', tokens: readonly Token[]): Statement {
  const names = tokens.filter((token) => token.kind !== 'punctuation');
  const last = names.at(-1);
  const isTo = names.slice(0, -1).some((token) => token.kind === 'word' && token.text.toUpperCase() === 'TO');
  if (last === undefined || names.length < 2 || (kind === 'rollback' && !isTo)) return nothing(kind);
  return { ...nothing(kind === 'rollback' ? 'rollback-to' : kind), savepoint: foldName(unquoted(last)) };
}

const BEFORE_A_NAME = new Set([
  'INTO',
  'UPDATE',
  'FROM',
  'JOIN',
  'TABLE',
  'SET',
  'OR',
  'ABORT',
  'FAIL',
  'IGNORE',
  'REPLACE',
  'ROLLBACK',
  'ON',
]);

/**
 * The statement's text for an event: every literal becomes `?`, so that no value stands in it. So does what stands in
 * double quotes where a value could stand: some databases take that for a text.
 *
 * @param tokens as the database splits the text: what one takes for a name another one takes for values
 */
export function textWithoutValues(
  sql: string,
  tokens: Iterable<Token> = tokensOf(sql),
  limit = 2_000,
): string {
  let text = '';
  let at = 0;
  let previous: Token | undefined;
  for (const token of tokens) {
    // A comment may carry values too.
    if (token.start > at && text !== '') text += ' ';
    text += isValue(sql, token, previous) ? '?' : sql.slice(token.start, token.end);
    at = token.end;
    previous = token;
    if (text.length > limit) return `${text.slice(0, limit)}…`;
  }
  return text;
}

function* tokensOf(sql: string): Iterable<Token> {
  for (let token = nextToken(sql, 0); token !== undefined; token = nextToken(sql, token.end)) yield token;
}

function isValue(sql: string, token: Token, previous: Token | undefined): boolean {
  if (token.kind === 'literal') return true;
  if (token.kind !== 'quoted' || sql.charAt(token.start) !== '"') return false;
  const isQualified = previous?.text === '.' || sql.charAt(token.end) === '.';
  return !isQualified && !(previous?.kind === 'word' && BEFORE_A_NAME.has(previous.text.toUpperCase()));
}
