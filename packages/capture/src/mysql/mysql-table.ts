import type { ColumnInfo, TableInfo } from '../dialect.js';

/** How a value of a column is written without loss. */
export type ColumnForm =
  | 'integer'
  | 'decimal'
  | 'double'
  | 'single'
  | 'text'
  | 'bytes'
  | 'instant'
  | 'temporal';

export interface MysqlColumn extends ColumnInfo {
  readonly form: ColumnForm;
  readonly isGenerated: boolean;
  readonly isAutoIncrement: boolean;
  /** It may hold more than 64 KiB. */
  readonly isLong: boolean;
  /** Setting it to itself changes nothing and can not fail, whatever it holds. */
  readonly isSafe: boolean;
}

export type MysqlAction = 'cascade' | 'set null' | 'restrict';

/** A foreign key that points at the table. */
export interface MysqlReference {
  /** The table that it is of, as `MysqlTable.id`. */
  readonly table: string;
  readonly columns: readonly string[];
  readonly referenced: readonly string[];
  readonly onDelete: MysqlAction;
  readonly onUpdate: MysqlAction;
}

export interface MysqlTrigger {
  readonly name: string;
  readonly timing: 'before' | 'after';
  readonly event: 'insert' | 'update' | 'delete';
  /** It may write rows of other tables. */
  readonly mayWrite: boolean;
}

export interface MysqlTable extends TableInfo {
  /** Unique on the server. */
  readonly id: string;
  /** For statements. */
  readonly sqlName: string;
  readonly columns: readonly MysqlColumn[];
  readonly kind: 'table' | 'view';
  /** Its storage engine takes part in transactions. */
  readonly isTransactional: boolean;
  readonly engine: string;
  /** The columns of each unique key; one with an expression or a part of a column is left out. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly hasHiddenUniqueKey: boolean;
  readonly triggers: readonly MysqlTrigger[];
  readonly referencedBy: readonly MysqlReference[];
}

export function positionOf(table: MysqlTable, column: string): number {
  return table.columns.findIndex(({ name }) => name === column);
}

/** Names of columns are the same in any case. */
export function findColumn(table: MysqlTable, column: string): MysqlColumn | undefined {
  const wanted = column.toLowerCase();
  return table.columns.find(({ name }) => name.toLowerCase() === wanted);
}
