import type { CaptureDialect } from '../dialect.js';
import { namesAndWords, textWithoutValues } from '../statement.js';
import { foldName, type Token, tokenize } from '../tokenize.js';
import type { ReadCollector } from './read-collector.js';

/** A model whose reads are recorded, and the name of its table. */
export interface NamedTable {
  readonly model: string;
  readonly key: readonly string[];
  readonly table: string;
}

/** What describes tables or plans shows no row of them. */
const SHOWING: ReadonlySet<string> = new Set(['SELECT', 'WITH', 'TABLE', 'DECLARE']);

/** Most of what passes here writes, and a look at its beginning is enough. */
const MAY_SHOW = /^[\s(;]*(?:select|with|table|declare|\/\*|--|#)/i;

function firstWord(tokens: readonly Token[]): string {
  return tokens.find(({ kind }) => kind !== 'punctuation')?.text.toUpperCase() ?? '';
}

/**
 * Raw SQL that reads: nobody knows which rows it shows, so what is recorded is that it named a table. A view or a function
 * names none.
 */
export class RawReads {
  constructor(
    private readonly collector: ReadCollector,
    private readonly dialect: Pick<CaptureDialect, 'readStatement' | 'tokenize'>,
    /** Asked each time: some ORMs know their models only once they are connected. */
    private readonly tables: () => readonly NamedTable[],
  ) {}

  /** MUST be awaited before the rows are handed to the caller. @param sql as the caller has written it */
  note(sql: string): Promise<unknown> | undefined {
    if (!MAY_SHOW.test(sql)) return undefined;
    const tables = this.tables();
    const folded = foldName(sql);
    if (!tables.some(({ table }) => folded.includes(foldName(table)))) return undefined;
    // What writes is told row by row.
    if (this.dialect.readStatement(sql).kind !== 'read') return undefined;
    // What one setting of the server takes for a text is a name by another one: either counts.
    const tokens = [...(this.dialect.tokenize?.(sql) ?? []), ...tokenize(sql)];
    if (!SHOWING.has(firstWord(tokens))) return undefined;
    const { names } = namesAndWords(tokens.filter(({ kind }) => kind !== 'literal'));
    const statement = textWithoutValues(sql, this.dialect.tokenize?.(sql));
    const notes = tables
      .filter(({ table }) => names.has(foldName(table)))
      .map(({ model, key }) => this.collector.note({ model, key, ids: [], statement }))
      .filter((note) => note !== undefined);
    return notes.length === 0 ? undefined : Promise.all(notes);
  }
}
