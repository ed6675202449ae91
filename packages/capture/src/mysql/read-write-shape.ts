import type { Token } from '../tokenize.js';
import { isSeveral } from './mysql-statement.js';
import { EXECUTABLE_COMMENT, type TokenMode, tokenizeMysql } from './mysql-tokens.js';
import { closing, readTable, readTables } from './read-tables.js';
import type { Assignment, NamedTable, RowWrite, Span, Unreadable, WriteShape } from './write-shape.js';

const MODIFIERS = new Set(['LOW_PRIORITY', 'HIGH_PRIORITY', 'DELAYED', 'QUICK', 'IGNORE']);

/** Takes a statement apart that the reader calls a write. */
export function readWriteShape(sql: string, mode: TokenMode): WriteShape {
  const tokens = tokenizeMysql(sql, mode);
  while (tokens.at(-1)?.text === ';') tokens.pop();
  if (isSeveral(tokens)) return unreadable('several statements in one string');
  if (tokens.some(({ kind, text }) => kind === 'punctuation' && text === EXECUTABLE_COMMENT)) {
    return unreadable('a statement with a part for some versions only');
  }
  return new WriteParser(sql, tokens).read();
}

class WriteParser {
  #at = 0;
  #ignores = false;

  constructor(
    private readonly sql: string,
    private readonly tokens: readonly Token[],
  ) {}

  read(): WriteShape {
    if (this.#word() === 'WITH')
      this.#at = this.#find(1, ['UPDATE', 'DELETE', 'SELECT', 'INSERT', 'REPLACE']);
    const prefix = { start: 0, end: this.tokens[this.#at]?.start ?? 0 };
    const verb = this.#word();
    this.#at += 1;
    while (MODIFIERS.has(this.#word())) {
      if (this.#word() === 'IGNORE') this.#ignores = true;
      this.#at += 1;
    }
    switch (verb) {
      case 'INSERT':
        return this.#insert('insert', prefix);
      case 'REPLACE':
        return this.#insert('replace', prefix);
      case 'UPDATE':
        return this.#update(prefix);
      case 'DELETE':
        return this.#delete(prefix);
      case 'TRUNCATE':
        return this.#truncate();
      case 'SELECT':
      case 'VALUES':
      case 'TABLE':
      case 'DO':
        return { verb: 'query' };
      default:
        return unreadable(verb === '' ? 'a statement that could not be read' : `a write by ${verb}`);
    }
  }

  #update(prefix: Span): WriteShape {
    const from = this.#at;
    const setAt = this.#find(from, ['SET']);
    const read = readTables(this.sql, this.tokens.slice(from, setAt));
    if (read === undefined || setAt === this.tokens.length) return cantRead();
    if (this.#find(from, ['PORTION']) < setAt) {
      return unreadable('a write to a portion of time', read.tables);
    }
    this.#at = setAt + 1;
    const assignments = this.#assignments(['WHERE', 'ORDER', 'LIMIT', 'RETURNING']);
    if (assignments === undefined) return unreadable('a statement that could not be read', read.tables);
    return this.#finish({
      verb: 'update',
      ...read,
      targets: read.tables,
      assignments,
      sources: this.#span(from, setAt),
      prefix,
    });
  }

  #delete(prefix: Span): WriteShape {
    const fromAt = this.#find(this.#at, ['FROM']);
    const names = this.#word() === 'FROM' ? [] : this.#names(this.#at, fromAt);
    this.#at = fromAt + 1;
    if (names === undefined || fromAt === this.tokens.length) return cantRead();
    const usingAt = this.#find(this.#at, ['USING']);
    const isUsing = names.length === 0 && usingAt < this.#find(this.#at, ['WHERE', 'JOIN', 'RETURNING']);
    const wanted = isUsing ? this.#names(this.#at, usingAt) : names;
    if (isUsing) this.#at = usingAt + 1;
    const from = this.#at;
    const end = this.#find(from, ['WHERE', 'ORDER', 'LIMIT', 'RETURNING']);
    const read = readTables(this.sql, this.tokens.slice(from, end));
    if (read === undefined || wanted === undefined) return cantRead();
    if (this.#find(from, ['PORTION']) < end) return unreadable('a write to a portion of time', read.tables);
    this.#at = end;
    const isPlain = wanted.length === 0;
    const targets = isPlain
      ? read.tables
      : read.tables.filter(({ alias, schema }) =>
          wanted.some((name) => isSame(name.name, alias) && (name.schema ?? schema) === schema),
        );
    if (targets.length !== (isPlain ? 1 : wanted.length))
      return unreadable('a DELETE of several tables', read.tables);
    return this.#finish({
      verb: 'delete',
      tables: read.tables,
      isMulti: read.isMulti || !isPlain,
      targets,
      assignments: [],
      sources: this.#span(from, end),
      prefix,
    });
  }

  #insert(verb: 'insert' | 'replace', prefix: Span): WriteShape {
    if (this.#word() === 'INTO') this.#at += 1;
    const named = readTable(this.sql, this.tokens, this.#at);
    if (named === undefined) return cantRead();
    const tables = [named.table];
    this.#at = named.next;
    let listed: readonly string[] | null = null;
    let values: readonly (readonly Span[])[] | null = null;
    const isList =
      this.#text() === '(' &&
      !/^(?:SELECT|WITH|VALUES|TABLE|\()$/i.test(this.tokens[this.#at + 1]?.text ?? '');
    if (isList) {
      const close = closing(this.tokens, this.#at);
      listed = this.#names(this.#at + 1, close)?.map(({ name }) => name) ?? [];
      this.#at = close + 1;
    }
    const duplicateAt = this.#findDuplicate();
    const ends = Math.min(duplicateAt, this.#find(this.#at, ['RETURNING']));
    if (this.#word() === 'SET') {
      this.#at += 1;
      const set = this.#assignments(['ON', 'RETURNING', 'AS']) ?? [];
      listed = set.map(({ column }) => column);
      values = [set.map(({ expression }) => expression)];
    } else if (/^VALUES?$/.test(this.#word())) {
      values = this.#rows(this.#at + 1, ends);
    }
    const shape = { verb, tables, isMulti: false, targets: tables, listed, values, sources: null, prefix };
    let assignments: readonly Assignment[] | undefined = [];
    this.#at = ends;
    if (duplicateAt < this.tokens.length) {
      this.#at = duplicateAt + 4;
      assignments = this.#assignments(['RETURNING']);
    }
    if (assignments === undefined) return unreadable('a statement that could not be read', tables);
    const updatesDuplicates = duplicateAt < this.tokens.length;
    return this.#finish({ ...shape, assignments, updatesDuplicates });
  }

  #truncate(): Unreadable {
    if (this.#word() === 'TABLE') this.#at += 1;
    const named = readTable(this.sql, this.tokens, this.#at);
    return unreadable(
      'a TRUNCATE, which commits before its rows could be told',
      named === undefined ? [] : [named.table],
    );
  }

  #finish(
    part: Pick<RowWrite, 'verb' | 'tables' | 'isMulti' | 'targets' | 'assignments' | 'sources' | 'prefix'> &
      Partial<Pick<RowWrite, 'listed' | 'values' | 'updatesDuplicates'>>,
  ): RowWrite {
    const end = this.tokens.at(-1)?.end ?? this.sql.length;
    const isInsert = part.verb === 'insert' || part.verb === 'replace';
    const returningAt = this.#find(this.#at, ['RETURNING']);
    const tailAt = isInsert ? returningAt : Math.min(returningAt, this.#find(this.#at, ['ORDER', 'LIMIT']));
    const whereAt = isInsert ? returningAt : this.#find(this.#at, ['WHERE']);
    return {
      listed: null,
      values: null,
      updatesDuplicates: false,
      ...part,
      ignores: this.#ignores,
      where: whereAt < tailAt ? this.#span(whereAt + 1, tailAt) : null,
      tail: tailAt < returningAt ? this.#span(tailAt, returningAt) : null,
      returning: returningAt < this.tokens.length ? this.#span(returningAt + 1, this.tokens.length) : null,
      end,
    };
  }

  /** @returns undefined where it can not be read */
  #assignments(ends: readonly string[]): readonly Assignment[] | undefined {
    const assignments: Assignment[] = [];
    for (;;) {
      const from = this.#at;
      const equalsAt = this.#findText(from, ['=', ':']);
      const name = this.#names(from, equalsAt)?.[0];
      if (name === undefined || equalsAt === this.tokens.length) return undefined;
      this.#at = Math.min(this.#findText(equalsAt, [',']), this.#find(equalsAt, ends));
      const isColon = this.tokens[equalsAt]?.text === ':';
      const expression = this.#span(equalsAt + (isColon ? 2 : 1), this.#at);
      assignments.push({
        table: name.schema,
        column: name.name,
        span: this.#span(from, this.#at),
        expression,
      });
      if (this.#text() !== ',') return assignments;
      this.#at += 1;
    }
  }

  /** The rows of VALUES. */
  #rows(from: number, end: number): readonly (readonly Span[])[] {
    const rows: Span[][] = [];
    for (let at = from; at < end; at += 1) {
      if (this.tokens[at]?.text !== '(' || this.tokens[at]?.kind !== 'punctuation') continue;
      const close = closing(this.tokens, at);
      const row: Span[] = [];
      for (let item = at + 1; item < close; ) {
        const next = Math.min(this.#findText(item, [',']), close);
        row.push(this.#span(item, next));
        item = next + 1;
      }
      rows.push(row);
      at = close;
    }
    return rows;
  }

  /** `name`, `table.name`, `table.*`, separated by commas: the last part and the one before it. */
  #names(from: number, end: number): { readonly schema: string | null; readonly name: string }[] | undefined {
    const names: { schema: string | null; name: string }[] = [];
    let parts: string[] = [];
    for (let at = from; at <= end; at += 1) {
      const token = this.tokens[at];
      if (at === end || token?.text === ',') {
        const name = parts.at(-1);
        if (name === undefined) return undefined;
        names.push({ schema: parts.at(-2) ?? null, name });
        parts = [];
      } else if (token?.kind === 'word' || token?.kind === 'quoted') parts.push(token.text);
      else if (token?.text !== '.' && token?.text !== '*') return undefined;
    }
    return names;
  }

  #findDuplicate(): number {
    let depth = 0;
    for (let at = this.#at; at < this.tokens.length; at += 1) {
      const token = this.tokens[at];
      if (token?.text === '(' && token.kind === 'punctuation') depth += 1;
      if (token?.text === ')' && token.kind === 'punctuation') depth -= 1;
      if (depth === 0 && this.#is(at, 'ON') && this.#is(at + 1, 'DUPLICATE')) return at;
    }
    return this.tokens.length;
  }

  /** The first of these words from `from` on, outside of parentheses; else the number of tokens. */
  #find(from: number, words: readonly string[]): number {
    return this.#search(from, (at) => words.some((word) => this.#is(at, word)));
  }

  #findText(from: number, texts: readonly string[]): number {
    return this.#search(from, (at) => {
      const token = this.tokens[at];
      return token?.kind === 'punctuation' && texts.includes(token.text);
    });
  }

  #search(from: number, is: (at: number) => boolean): number {
    let depth = 0;
    for (let at = from; at < this.tokens.length; at += 1) {
      const token = this.tokens[at];
      if (depth === 0 && is(at)) return at;
      if (token?.kind !== 'punctuation') continue;
      if (token.text === '(') depth += 1;
      if (token.text === ')') depth -= 1;
    }
    return this.tokens.length;
  }

  #is(at: number, word: string): boolean {
    const token = this.tokens[at];
    // A column may be called so behind a dot.
    return token?.kind === 'word' && this.tokens[at - 1]?.text !== '.' && token.text.toUpperCase() === word;
  }

  #span(from: number, to: number): Span {
    return { start: this.tokens[from]?.start ?? 0, end: this.tokens[to - 1]?.end ?? 0 };
  }

  #word(): string {
    const token = this.tokens[this.#at];
    return token?.kind === 'word' ? token.text.toUpperCase() : '';
  }

  #text(): string {
    const token = this.tokens[this.#at];
    return token?.kind === 'punctuation' ? token.text : '';
  }
}

function isSame(one: string, two: string): boolean {
  return one.toLowerCase() === two.toLowerCase();
}

function cantRead(): Unreadable {
  return unreadable('a statement that could not be read');
}

function unreadable(reason: string, tables: readonly NamedTable[] = []): Unreadable {
  return { verb: 'unreadable', reason, tables };
}
