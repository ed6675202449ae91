/** A range of the statement's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A table as the statement names it. */
export interface NamedTable {
  /** Null: of the connection's database. */
  readonly schema: string | null;
  readonly name: string;
  /** What its columns are qualified by: the alias, or the name, as written. */
  readonly qualifier: string;
  /** The alias or the name without quotes, by which the statement itself means it. */
  readonly alias: string;
}

/** `column = expression` of a SET clause. */
export interface Assignment {
  /** The table's alias or name where one is written. */
  readonly table: string | null;
  readonly column: string;
  /** From the column on. */
  readonly span: Span;
  readonly expression: Span;
}

/** One INSERT, REPLACE, UPDATE or DELETE, taken apart as far as capturing needs. */
export interface RowWrite {
  readonly verb: 'insert' | 'replace' | 'update' | 'delete';
  /** The tables that its FROM, or what stands for it, names, outside of sub-selects. */
  readonly tables: readonly NamedTable[];
  /** Of `tables` those whose rows it deletes; all of them for the other verbs. */
  readonly targets: readonly NamedTable[];
  /** More than one table, or a syntax that knows no RETURNING. */
  readonly isMulti: boolean;
  readonly ignores: boolean;
  /** Of SET, or of ON DUPLICATE KEY UPDATE. */
  readonly assignments: readonly Assignment[];
  readonly updatesDuplicates: boolean;
  /** The columns that an INSERT lists; null where it lists none. */
  readonly listed: readonly string[] | null;
  /** The rows of VALUES, or of SET, as spans of their expressions; null where they come from a query. */
  readonly values: readonly (readonly Span[])[] | null;
  /** What stands between the verb and SET or WHERE: the tables with their conditions. */
  readonly sources: Span | null;
  readonly where: Span | null;
  /** ORDER BY and LIMIT. */
  readonly tail: Span | null;
  /** The list of RETURNING, or null where there is none. */
  readonly returning: Span | null;
  /** Where it begins with WITH. */
  readonly prefix: Span;
  /** Behind its last token. */
  readonly end: number;
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

export type WriteShape = RowWrite | Unreadable | Query;
