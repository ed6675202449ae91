import type { Token } from '../tokenize.js';
import { columnNames } from './column-names.js';
import { keptColumns } from './kept-columns.js';
import { tokenizePostgres } from './postgres-tokens.js';
import { readWritingWith, spanOf } from './read-writing-with.js';
import { returnedColumns } from './returned-columns.js';
import { splitStatements } from './split-statements.js';
import { TokenCursor } from './token-cursor.js';
import type { Assignment, NamedTable, RowWrite, Span, Unreadable, WriteShape } from './write-shape.js';

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
  return readWritingWith(sql, tokens, (some) => new WriteParser(sql, some).read()) ?? shape;
}

class WriteParser extends TokenCursor {
  read(): WriteShape {
    if (this.word() === 'WITH' && !this.#skipQueries()) return unreadable(IN_WITH);
    const verb = this.word();
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
        return this.find(this.at, (at) => this.word(at - this.at) === 'INTO') < this.tokens.length
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
    for (; this.at < this.tokens.length; this.at += 1) {
      const { kind, text } = this.tokens[this.at] ?? { kind: 'word', text: '' };
      if (kind === 'punctuation') {
        if (text === '(') depth += 1;
        if (text === ')') depth -= 1;
        // A query of WITH begins behind its parenthesis, or behind a WITH of its own.
        if (depth > 0 && (text === '(' || text === ')') && WRITES.has(this.word(1))) return false;
      } else if (depth === 0 && (WRITES.has(this.word()) || this.word() === 'SELECT')) return true;
    }
    return true;
  }

  #insert(): WriteShape {
    const prefix = this.#prefix();
    this.at += 2;
    const targetAt = this.at;
    const target = this.table();
    if (target === undefined) return unreadable('a statement that could not be read');
    const alias = this.word() === 'AS' ? this.alias() : undefined;
    const targetText = this.since(targetAt);
    const from = this.at;
    const returningAt = this.find(from, (at) => this.word(at - this.at) === 'RETURNING');
    const conflictAt = this.find(
      from,
      (at) => this.word(at - this.at) === 'ON' && this.word(at - this.at + 1) === 'CONFLICT',
    );
    const set = { assignments: [] as Assignment[], assigned: new Set<string>() };
    let conflict: RowWrite['conflict'] = 'none';
    let kept: ReadonlySet<string> = new Set();
    let setAt: number | undefined;
    if (conflictAt < returningAt) {
      this.at = this.find(conflictAt, (at) => this.word(at - this.at) === 'DO') + 1;
      const clause = this.tokens.slice(conflictAt, this.at);
      conflict = this.word() === 'UPDATE' ? 'update' : 'nothing';
      if (conflict === 'update') {
        this.at += 2;
        setAt = this.tokens[this.at]?.start;
        this.#assignments(set, new Set(['WHERE', 'RETURNING']));
        kept = keptColumns(this.sql, clause, set.assignments);
      }
    }
    const rest = { conflict, kept, returningAt, from: null, setAt };
    return this.#shape('insert', target, { alias, targetText, prefix }, set, rest);
  }

  #update(): WriteShape {
    const prefix = this.#prefix();
    this.at += 1;
    const targetAt = this.at;
    if (this.word() === 'ONLY') this.at += 1;
    const target = this.table();
    if (target === undefined) return unreadable('a statement that could not be read');
    if (this.text() === '*') this.at += 1;
    const alias = this.word() === 'SET' ? undefined : this.alias();
    const targetText = this.since(targetAt);
    if (this.word() !== 'SET') return unreadable('a statement that could not be read', [target]);
    this.at += 1;
    const set: { assignments: Assignment[]; assigned: Set<string> } = {
      assignments: [],
      assigned: new Set(),
    };
    const setAt = this.tokens[this.at]?.start;
    this.#assignments(set, new Set(['FROM', 'WHERE', 'RETURNING']));
    const from = this.at;
    const returningAt = this.find(from, (at) => this.word(at - this.at) === 'RETURNING');
    return this.#shape('update', target, { alias, targetText, prefix }, set, {
      conflict: 'none',
      returningAt,
      from,
      setAt,
    });
  }

  #delete(): WriteShape {
    const prefix = this.#prefix();
    this.at += 2;
    const targetAt = this.at;
    if (this.word() === 'ONLY') this.at += 1;
    const target = this.table();
    if (target === undefined) return unreadable('a statement that could not be read');
    if (this.text() === '*') this.at += 1;
    const isClause = ['USING', 'WHERE', 'RETURNING', ''].includes(this.word());
    const alias = isClause && this.tokens[this.at]?.kind !== 'quoted' ? undefined : this.alias();
    const targetText = this.since(targetAt);
    const from = this.at;
    const returningAt = this.find(from, (at) => this.word(at - this.at) === 'RETURNING');
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
      readonly setAt?: number | undefined;
    },
  ): RowWrite {
    const { conflict, kept = new Set(), returningAt, from } = rest;
    const qualifier = place.alias ?? target.written;
    const end = this.tokens.at(-1)?.end ?? this.sql.length;
    const list = this.tokens[returningAt + 1];
    const beforeReturning = this.tokens[returningAt]?.start ?? end;
    const whereAt =
      from === null ? returningAt : this.find(from, (at) => this.word(at - this.at) === 'WHERE');
    const sourcesStart = from === null ? undefined : this.tokens[from]?.start;
    const isAlone = verb !== 'merge' && (from === null || whereAt === from || from >= returningAt);
    return {
      verb,
      target: { schema: target.schema, name: target.name },
      isOnly: /^only\b/i.test(this.sql.slice(place.targetText.start, place.targetText.end)),
      targetText: place.targetText,
      qualifier,
      ...set,
      setAt: rest.setAt,
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
    this.at += 1;
    if (this.word() === 'TABLE') this.at += 1;
    const tables: NamedTable[] = [];
    for (;;) {
      if (this.word() === 'ONLY') this.at += 1;
      const table = this.table();
      if (table === undefined) return unreadable('a statement that could not be read', tables);
      tables.push({ schema: table.schema, name: table.name });
      if (this.text() === '*') this.at += 1;
      if (this.text() !== ',') break;
      this.at += 1;
    }
    const words = this.tokens.slice(this.at).map(({ text }) => text.toUpperCase());
    return { verb: 'truncate', tables, cascades: words.includes('CASCADE') };
  }

  #merge(): WriteShape {
    const prefix = this.#prefix();
    this.at += 2;
    const targetAt = this.at;
    if (this.word() === 'ONLY') this.at += 1;
    const target = this.table();
    if (target === undefined) return unreadable('a statement that could not be read');
    if (this.text() === '*') this.at += 1;
    const alias = this.word() === 'USING' ? undefined : this.alias();
    const targetText = this.since(targetAt);
    const [from, returningAt] = [this.at, this.find(this.at, (at) => this.wordAt(at) === 'RETURNING')];
    const set = { assignments: [] as Assignment[], assigned: new Set<string>() };
    const isAction = (at: number): boolean =>
      this.wordAt(at) === 'WHEN' && /^(?:NOT|MATCHED)$/.test(this.wordAt(at + 1));
    const actionsAt = this.find(from, isAction);
    let deletes = false;
    let inserts = false;
    let isBySource = false;
    for (let at = actionsAt; at < returningAt; at += 1) {
      deletes ||= this.wordAt(at) === 'THEN' && this.wordAt(at + 1) === 'DELETE';
      inserts ||= this.wordAt(at) === 'THEN' && this.wordAt(at + 1) === 'INSERT';
      isBySource ||= this.wordAt(at) === 'BY' && this.wordAt(at + 1) === 'SOURCE';
      if (this.wordAt(at) !== 'THEN' || this.wordAt(at + 1) !== 'UPDATE') continue;
      this.at = at + 3;
      this.#assignments(set, new Set(['RETURNING']), isAction);
    }
    const place = { alias, targetText, prefix };
    const shape = this.#shape('merge', target, place, set, { conflict: 'none', returningAt, from: null });
    const source = { start: this.tokens[from]?.end ?? 0, end: this.tokens[actionsAt - 1]?.end ?? 0 };
    return { ...shape, merge: { source, deletes, inserts, isBySource } };
  }

  /** @param isEnd also behind which no expression goes on */
  #assignments(
    set: { assignments: Assignment[]; assigned: Set<string> },
    ends: ReadonlySet<string>,
    isEnd: (at: number) => boolean = () => false,
  ): void {
    for (;;) {
      const column = this.name();
      const names = column === undefined ? this.namesInParentheses() : [column];
      for (const name of names) set.assigned.add(name);
      const isPlain = this.text() === '=';
      while (this.at < this.tokens.length && this.text() !== '=') this.at += 1;
      this.at += 1;
      const first = this.at;
      this.at = this.find(first, (at) => isEnd(at) || this.#endsExpression(at, ends));
      if (isPlain) {
        const ranges = column === undefined ? this.#rowItems(first, this.at) : [{ from: first, to: this.at }];
        for (const [index, { from, to }] of ranges.entries()) {
          const [name, start, end] = [names[index], this.tokens[from]?.start, this.tokens[to - 1]?.end];
          const isDefault = to === from + 1 && this.tokens[from]?.text.toUpperCase() === 'DEFAULT';
          if (name === undefined || isDefault || start === undefined || end === undefined) continue;
          set.assignments.push({ column: name, expression: { start, end } });
        }
      }
      if (this.text() !== ',') return;
      this.at += 1;
    }
  }

  #endsExpression(at: number, ends: ReadonlySet<string>): boolean {
    const token = this.tokens[at];
    if (token?.kind === 'punctuation') return token.text === ',';
    // IS DISTINCT FROM
    return ends.has(this.word(at - this.at)) && this.word(at - this.at - 1) !== 'DISTINCT';
  }

  /** The expressions of `(…, …)` or `ROW (…, …)`; none where it is a query. */
  #rowItems(from: number, end: number): readonly { readonly from: number; readonly to: number }[] {
    const open = this.word(from - this.at) === 'ROW' ? from + 1 : from;
    const isQuery = /^(?:SELECT|WITH|VALUES|TABLE)$/.test(this.word(open + 1 - this.at));
    const isRow = this.tokens[open]?.text === '(' && this.tokens[end - 1]?.text === ')';
    if (!isRow || isQuery) return [];
    const items: { from: number; to: number }[] = [];
    for (let at = open + 1; at < end - 1; ) {
      const to = Math.min(
        this.find(at, (next) => this.punctuation(next) === ','),
        end - 1,
      );
      items.push({ from: at, to });
      at = to + 1;
    }
    return items;
  }

  #prefix(): Span {
    return { start: this.tokens[0]?.start ?? 0, end: this.tokens[this.at]?.start ?? 0 };
  }
}

function unreadable(reason: string, tables: readonly NamedTable[] = []): Unreadable {
  return { verb: 'unreadable', reason, tables };
}
