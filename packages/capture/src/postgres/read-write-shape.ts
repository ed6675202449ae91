import type { Token } from '../tokenize.js';
import { columnNames } from './column-names.js';
import { keptColumns } from './kept-columns.js';
import { foldIdentifier, tokenizePostgres } from './postgres-tokens.js';
import { returnedColumns } from './returned-columns.js';
import { type SplitQuery, splitQueries } from './split-queries.js';
import { splitStatements } from './split-statements.js';
import {
  type Assignment,
  isRowWrite,
  type NamedTable,
  type RowWrite,
  type Span,
  type Unreadable,
  type WriteShape,
  type WritingQuery,
} from './write-shape.js';

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** Takes a statement apart that the reader calls a write. */
export function readWriteShape(sql: string): WriteShape {
  const tokens = tokenizePostgres(sql);
  const statements = splitStatements(tokens);
  const [only = [], second] = statements;
  if (second === undefined) return readStatement(sql, only);
  return { verb: 'several', statements: statements.map(spanOf) };
}

const IN_WITH = 'a write inside of WITH';

function readStatement(sql: string, tokens: readonly Token[]): WriteShape {
  const shape = new WriteParser(sql, tokens).read();
  if (shape.verb !== 'unreadable' || shape.reason !== IN_WITH) return shape;
  return readWritingWith(sql, tokens) ?? shape;
}

/** @returns undefined where one of the queries can not be taken apart */
function readWritingWith(sql: string, tokens: readonly Token[]): WriteShape | undefined {
  const split = splitQueries(tokens);
  if (split === undefined) return undefined;
  const queries: WritingQuery[] = [];
  for (const query of split.queries) {
    const write = new WriteParser(sql, query.body).read();
    if (write.verb === 'query') continue;
    const found = isRowWrite(write) ? writingQuery(tokens, query, write) : undefined;
    if (found === undefined) return undefined;
    queries.push(found);
  }
  const main = isQuery(split.main) ? ({ verb: 'query' } as const) : new WriteParser(sql, split.main).read();
  if (main.verb !== 'query' && !isRowWrite(main)) return undefined;
  return { verb: 'with', queries, main, mainText: spanOf(split.main) };
}

/** A query in parentheses: it writes nothing, and what it gives goes nowhere else. */
function isQuery(tokens: readonly Token[]): boolean {
  const first = tokens.find(({ text }) => text !== '(');
  return (
    tokens[0]?.text === '(' && first?.kind === 'word' && /^(?:select|values|table|with)$/i.test(first.text)
  );
}

function writingQuery(
  tokens: readonly Token[],
  { name, columns, open, close }: SplitQuery,
  write: RowWrite,
): WritingQuery {
  const nameEnd = columns?.end ?? name.end;
  return {
    head: { start: name.start, end: open.end },
    name: { start: name.start, end: nameEnd },
    close: { start: close.start, end: close.end },
    write,
    isNamed: tokens.some((token) => token !== name && isSameName(token, name)),
  };
}

function isSameName(one: Token, other: Token): boolean {
  const name = ({ kind, text }: Token): string | undefined =>
    kind === 'quoted' ? text : kind === 'word' ? foldIdentifier(text) : undefined;
  return name(one) !== undefined && name(one) === name(other);
}

function spanOf(tokens: readonly Token[]): Span {
  return { start: tokens[0]?.start ?? 0, end: tokens.at(-1)?.end ?? 0 };
}

class WriteParser {
  #at = 0;

  constructor(
    private readonly sql: string,
    private readonly tokens: readonly Token[],
  ) {}

  read(): WriteShape {
    if (this.#word() === 'WITH' && !this.#skipQueries()) return unreadable(IN_WITH);
    const verb = this.#word();
    switch (verb) {
      case 'INSERT':
        return this.#insert();
      case 'UPDATE':
        return this.#update();
      case 'DELETE':
        return this.#delete();
      case 'TRUNCATE':
        return this.#truncate();
      case 'SELECT':
      case 'VALUES':
      case 'TABLE':
        return this.#find(this.#at, (at) => this.#word(at - this.#at) === 'INTO') < this.tokens.length
          ? unreadable('SELECT INTO')
          : { verb: 'query' };
      case 'MERGE':
        return this.#merge();
      default:
        return unreadable(verb === '' ? 'a statement that could not be read' : `a write by ${verb}`);
    }
  }

  /** @returns false where one of the queries writes */
  #skipQueries(): boolean {
    let depth = 0;
    for (; this.#at < this.tokens.length; this.#at += 1) {
      const { kind, text } = this.tokens[this.#at] ?? { kind: 'word', text: '' };
      if (kind === 'punctuation') {
        if (text === '(') depth += 1;
        if (text === ')') depth -= 1;
        // A query of WITH begins behind its parenthesis, or behind a WITH of its own.
        if (depth > 0 && (text === '(' || text === ')') && WRITES.has(this.#word(1))) return false;
      } else if (depth === 0 && (WRITES.has(this.#word()) || this.#word() === 'SELECT')) return true;
    }
    return true;
  }

  #insert(): WriteShape {
    const prefix = this.#prefix();
    this.#at += 2;
    const targetAt = this.#at;
    const target = this.#table();
    if (target === undefined) return unreadable('a statement that could not be read');
    const alias = this.#word() === 'AS' ? this.#alias() : undefined;
    const targetText = this.#since(targetAt);
    const from = this.#at;
    const returningAt = this.#find(from, (at) => this.#word(at - this.#at) === 'RETURNING');
    const conflictAt = this.#find(
      from,
      (at) => this.#word(at - this.#at) === 'ON' && this.#word(at - this.#at + 1) === 'CONFLICT',
    );
    const set = { assignments: [] as Assignment[], assigned: new Set<string>() };
    let conflict: RowWrite['conflict'] = 'none';
    let kept: ReadonlySet<string> = new Set();
    if (conflictAt < returningAt) {
      this.#at = this.#find(conflictAt, (at) => this.#word(at - this.#at) === 'DO') + 1;
      const clause = this.tokens.slice(conflictAt, this.#at);
      conflict = this.#word() === 'UPDATE' ? 'update' : 'nothing';
      if (conflict === 'update') {
        this.#at += 2;
        this.#assignments(set, new Set(['WHERE', 'RETURNING']));
        kept = keptColumns(this.sql, clause, set.assignments);
      }
    }
    const rest = { conflict, kept, returningAt, from: null };
    return this.#shape('insert', target, { alias, targetText, prefix }, set, rest);
  }

  #update(): WriteShape {
    const prefix = this.#prefix();
    this.#at += 1;
    const targetAt = this.#at;
    if (this.#word() === 'ONLY') this.#at += 1;
    const target = this.#table();
    if (target === undefined) return unreadable('a statement that could not be read');
    if (this.#text() === '*') this.#at += 1;
    const alias = this.#word() === 'SET' ? undefined : this.#alias();
    const targetText = this.#since(targetAt);
    if (this.#word() !== 'SET') return unreadable('a statement that could not be read', [target]);
    this.#at += 1;
    const set: { assignments: Assignment[]; assigned: Set<string> } = {
      assignments: [],
      assigned: new Set(),
    };
    this.#assignments(set, new Set(['FROM', 'WHERE', 'RETURNING']));
    const from = this.#at;
    const returningAt = this.#find(from, (at) => this.#word(at - this.#at) === 'RETURNING');
    return this.#shape('update', target, { alias, targetText, prefix }, set, {
      conflict: 'none',
      returningAt,
      from,
    });
  }

  #delete(): WriteShape {
    const prefix = this.#prefix();
    this.#at += 2;
    const targetAt = this.#at;
    if (this.#word() === 'ONLY') this.#at += 1;
    const target = this.#table();
    if (target === undefined) return unreadable('a statement that could not be read');
    if (this.#text() === '*') this.#at += 1;
    const isClause = ['USING', 'WHERE', 'RETURNING', ''].includes(this.#word());
    const alias = isClause && this.tokens[this.#at]?.kind !== 'quoted' ? undefined : this.#alias();
    const targetText = this.#since(targetAt);
    const from = this.#at;
    const returningAt = this.#find(from, (at) => this.#word(at - this.#at) === 'RETURNING');
    const set = { assignments: [], assigned: new Set<string>() };
    return this.#shape('delete', target, { alias, targetText, prefix }, set, {
      conflict: 'none',
      returningAt,
      from,
    });
  }

  #shape(
    verb: RowWrite['verb'],
    target: NamedTable & { readonly written: string },
    place: { readonly alias: string | undefined; readonly targetText: Span; readonly prefix: Span },
    set: { readonly assignments: readonly Assignment[]; readonly assigned: ReadonlySet<string> },
    rest: {
      readonly conflict: RowWrite['conflict'];
      readonly kept?: ReadonlySet<string>;
      readonly returningAt: number;
      readonly from: number | null;
    },
  ): WriteShape {
    const { conflict, kept = new Set(), returningAt, from } = rest;
    const qualifier = place.alias ?? target.written;
    const end = this.tokens.at(-1)?.end ?? this.sql.length;
    const list = this.tokens[returningAt + 1];
    const beforeReturning = this.tokens[returningAt]?.start ?? end;
    const whereAt =
      from === null ? returningAt : this.#find(from, (at) => this.#word(at - this.#at) === 'WHERE');
    const sourcesStart = from === null ? undefined : this.tokens[from]?.start;
    const isAlone = verb !== 'merge' && (from === null || whereAt === from || from >= returningAt);
    return {
      verb,
      target: { schema: target.schema, name: target.name },
      isOnly: /^only\b/i.test(this.sql.slice(place.targetText.start, place.targetText.end)),
      targetText: place.targetText,
      qualifier,
      ...set,
      conflict,
      kept,
      returning: list === undefined ? null : { start: list.start, end },
      sources: sourcesStart === undefined ? null : { start: sourcesStart, end: beforeReturning },
      where: whereAt < returningAt ? { start: this.tokens[whereAt]?.end ?? end, end: beforeReturning } : null,
      whereNames: columnNames(this.tokens.slice(whereAt + 1, returningAt), qualifier, whereAt === from),
      prefix: place.prefix,
      ...(list === undefined
        ? {}
        : { returned: returnedColumns(this.tokens.slice(returningAt + 1), qualifier, isAlone) }),
      end,
      namesOldOrNew: this.tokens.some(
        ({ kind, text }) => (kind === 'word' || kind === 'quoted') && /^(?:old|new)$/i.test(text),
      ),
    };
  }

  #truncate(): WriteShape {
    this.#at += 1;
    if (this.#word() === 'TABLE') this.#at += 1;
    const tables: NamedTable[] = [];
    for (;;) {
      if (this.#word() === 'ONLY') this.#at += 1;
      const table = this.#table();
      if (table === undefined) return unreadable('a statement that could not be read', tables);
      tables.push({ schema: table.schema, name: table.name });
      if (this.#text() === '*') this.#at += 1;
      if (this.#text() !== ',') break;
      this.#at += 1;
    }
    const words = this.tokens.slice(this.#at).map(({ text }) => text.toUpperCase());
    return { verb: 'truncate', tables, cascades: words.includes('CASCADE') };
  }

  #merge(): WriteShape {
    const prefix = this.#prefix();
    this.#at += 2;
    const targetAt = this.#at;
    if (this.#word() === 'ONLY') this.#at += 1;
    const target = this.#table();
    if (target === undefined) return unreadable('a statement that could not be read');
    if (this.#text() === '*') this.#at += 1;
    const alias = this.#word() === 'USING' ? undefined : this.#alias();
    const targetText = this.#since(targetAt);
    const returningAt = this.#find(this.#at, (at) => this.#word(at - this.#at) === 'RETURNING');
    const set = { assignments: [], assigned: new Set<string>() };
    const place = { alias, targetText, prefix };
    return this.#shape('merge', target, place, set, { conflict: 'none', returningAt, from: null });
  }

  #assignments(set: { assignments: Assignment[]; assigned: Set<string> }, ends: ReadonlySet<string>): void {
    for (;;) {
      const column = this.#name();
      const names = column === undefined ? this.#namesInParentheses() : [column];
      for (const name of names) set.assigned.add(name);
      const isPlain = this.#text() === '=';
      while (this.#at < this.tokens.length && this.#text() !== '=') this.#at += 1;
      this.#at += 1;
      const first = this.#at;
      this.#at = this.#find(first, (at) => this.#endsExpression(at, ends));
      if (isPlain) {
        const ranges =
          column === undefined ? this.#rowItems(first, this.#at) : [{ from: first, to: this.#at }];
        for (const [index, { from, to }] of ranges.entries()) {
          const [name, start, end] = [names[index], this.tokens[from]?.start, this.tokens[to - 1]?.end];
          const isDefault = to === from + 1 && this.tokens[from]?.text.toUpperCase() === 'DEFAULT';
          if (name === undefined || isDefault || start === undefined || end === undefined) continue;
          set.assignments.push({ column: name, expression: { start, end } });
        }
      }
      if (this.#text() !== ',') return;
      this.#at += 1;
    }
  }

  #endsExpression(at: number, ends: ReadonlySet<string>): boolean {
    const token = this.tokens[at];
    if (token?.kind === 'punctuation') return token.text === ',';
    // IS DISTINCT FROM
    return ends.has(this.#word(at - this.#at)) && this.#word(at - this.#at - 1) !== 'DISTINCT';
  }

  /** The expressions of `(…, …)` or `ROW (…, …)`; none where it is a query. */
  #rowItems(from: number, end: number): readonly { readonly from: number; readonly to: number }[] {
    const open = this.#word(from - this.#at) === 'ROW' ? from + 1 : from;
    const isQuery = /^(?:SELECT|WITH|VALUES|TABLE)$/.test(this.#word(open + 1 - this.#at));
    const isRow = this.tokens[open]?.text === '(' && this.tokens[end - 1]?.text === ')';
    if (!isRow || isQuery) return [];
    const items: { from: number; to: number }[] = [];
    for (let at = open + 1; at < end - 1; ) {
      const to = Math.min(
        this.#find(at, (next) => this.#punctuation(next) === ','),
        end - 1,
      );
      items.push({ from: at, to });
      at = to + 1;
    }
    return items;
  }

  #punctuation(at: number): string {
    const token = this.tokens[at];
    return token?.kind === 'punctuation' ? token.text : '';
  }

  #namesInParentheses(): readonly string[] {
    const names: string[] = [];
    this.#at += 1;
    while (this.#at < this.tokens.length && this.#text() !== ')') {
      const name = this.#name();
      if (name === undefined) this.#at += 1;
      else names.push(name);
    }
    this.#at += 1;
    return names;
  }

  /** The first token from `from` on, outside of parentheses, of which `is` holds; else the number of tokens. */
  #find(from: number, is: (at: number) => boolean): number {
    let depth = 0;
    for (let at = from; at < this.tokens.length; at += 1) {
      const token = this.tokens[at];
      if (depth === 0 && is(at)) return at;
      if (token?.kind !== 'punctuation') continue;
      if (token.text === '(' || token.text === '[') depth += 1;
      if (token.text === ')' || token.text === ']') depth -= 1;
    }
    return this.tokens.length;
  }

  #table(): (NamedTable & { readonly written: string }) | undefined {
    let schema: string | null = null;
    for (;;) {
      const token = this.tokens[this.#at];
      const name = this.#name();
      if (token === undefined || name === undefined) return undefined;
      if (this.#text() !== '.') return { schema, name, written: this.sql.slice(token.start, token.end) };
      this.#at += 1;
      schema = name;
    }
  }

  #alias(): string | undefined {
    if (this.#word() === 'AS') this.#at += 1;
    const token = this.tokens[this.#at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined;
    this.#at += 1;
    return this.sql.slice(token.start, token.end);
  }

  #name(): string | undefined {
    const token = this.tokens[this.#at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined;
    this.#at += 1;
    return token.kind === 'quoted' ? token.text : foldIdentifier(token.text);
  }

  #since(from: number): Span {
    return { start: this.tokens[from]?.start ?? 0, end: this.tokens[this.#at - 1]?.end ?? 0 };
  }

  #prefix(): Span {
    return { start: this.tokens[0]?.start ?? 0, end: this.tokens[this.#at]?.start ?? 0 };
  }

  #word(ahead = 0): string {
    const token = this.tokens[this.#at + ahead];
    return token?.kind === 'word' ? token.text.toUpperCase() : '';
  }

  #text(): string {
    const token = this.tokens[this.#at];
    return token?.kind === 'punctuation' ? token.text : '';
  }
}

function unreadable(reason: string, tables: readonly NamedTable[] = []): Unreadable {
  return { verb: 'unreadable', reason, tables };
}
