/** A range of the statement's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A table as the statement names it. */
export interface NamedTable {
  /** Null: by the search path. */
  readonly schema: string | null;
  readonly name: string;
}

/** `column = expression` of a SET clause. */
export interface Assignment {
  readonly column: string;
  readonly expression: Span;
}

/** One INSERT, UPDATE, DELETE or MERGE, taken apart as far as capturing needs. */
export interface RowWrite {
  readonly verb: 'insert' | 'update' | 'delete' | 'merge';
  readonly target: NamedTable;
  /** ONLY stands in front of the target: tables that inherit from it are not touched. */
  readonly isOnly: boolean;
  /** The target with ONLY and its alias, as written. */
  readonly targetText: Span;
  /** What its columns are qualified by in expressions: the alias, or the name, as written. */
  readonly qualifier: string;
  /** The plain ones of SET, also of ON CONFLICT DO UPDATE. */
  readonly assignments: readonly Assignment[];
  /** Where the first of all begins. */
  readonly setAt?: number | undefined;
  /** Every column that SET names. */
  readonly assigned: ReadonlySet<string>;
  readonly conflict: 'none' | 'nothing' | 'update';
  /** Of these the ones that ON CONFLICT has found its row by, and assigns what they are equal to. */
  readonly kept: ReadonlySet<string>;
  /** The list of RETURNING, or null where there is none. */
  readonly returning: Span | null;
  /** What stands between the target and RETURNING: USING and WHERE of a DELETE, FROM and WHERE of an UPDATE. */
  readonly sources: Span | null;
  readonly where: Span | null;
  /** What WHERE names that can be a column of the target only, outside of sub-selects. */
  readonly whereNames: ReadonlySet<string>;
  /** Of a MERGE alone. */
  readonly merge?: MergeShape;
  /** What stands before the verb: WITH and its queries. */
  readonly prefix: Span;
  /** The columns that RETURNING gives; null where the text does not tell them, undefined where there is none. */
  readonly returned?: readonly ReturnedColumn[] | null;
  /** Behind its last token. */
  readonly end: number;
  /** The words `old` and `new` mean something of the statement's own. */
  readonly namesOldOrNew: boolean;
}

export interface MergeShape {
  /** What stands between USING and the first action: the source and ON. */
  readonly source: Span;
  readonly deletes: boolean;
  readonly inserts: boolean;
  /** It acts on rows of the target that the source does not match. */
  readonly isBySource: boolean;
}

/** A column by its name, or all those of the target. */
export type ReturnedColumn = { readonly name: string } | { readonly isAll: true };

/** A query of WITH that writes rows. */
export interface WritingQuery {
  /** From its name to the parenthesis that opens it. */
  readonly head: Span;
  /** Its name and the names that it gives its columns, as written. */
  readonly name: Span;
  /** The parenthesis that closes it. */
  readonly close: Span;
  readonly write: RowWrite;
  /** Its name stands elsewhere in the statement too. */
  readonly isNamed: boolean;
}

/** One statement with queries of WITH that write. */
export interface WritingWith {
  readonly verb: 'with';
  readonly queries: readonly WritingQuery[];
  /** What stands behind them; it may write nothing itself. */
  readonly main: RowWrite | Query;
  readonly mainText: Span;
  /** By write: what stands in front of a query that finds its rows before anything runs, where there is one. */
  readonly lockPrefixes: ReadonlyMap<RowWrite, string>;
}

/** Several statements in one string. */
export interface Several {
  readonly verb: 'several';
  readonly statements: readonly Span[];
}

export interface Truncation {
  readonly verb: 'truncate';
  readonly tables: readonly NamedTable[];
  readonly cascades: boolean;
}

/** A write that is not taken apart: why. */
export interface Unreadable {
  readonly verb: 'unreadable';
  readonly reason: string;
  /** The tables that it certainly writes. */
  readonly tables: readonly NamedTable[];
}

/** What writes nothing itself: it may call what does. */
export interface Query {
  readonly verb: 'query';
}

export type WriteShape = RowWrite | WritingWith | Several | Truncation | Unreadable | Query;

export function isRowWrite(shape: WriteShape): shape is RowWrite {
  return 'assignments' in shape;
}
