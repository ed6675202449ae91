import type { ColumnInfo, TableInfo, TableName } from '../dialect.js';
import type { TextEncoding } from './text-encoding.js';

/** How the text of a value reads, whatever the type is called: a domain's is that of its base type. */
export type ValueFormat =
  | { readonly kind: 'boolean' | 'integer' | 'real' | 'bytes' | 'text' }
  | { readonly kind: 'list'; readonly item: ValueFormat; readonly delimiter: string };

export interface PostgresColumn extends ColumnInfo {
  /** Usable in a cast, quoted and with its schema, without a modifier: `"pg_catalog"."int4"`, `"public"."Role"[]`. */
  readonly castType: string;
  readonly typeOid: number;
  readonly format: ValueFormat;
  /** Computed from other columns, stored or not. */
  readonly isGenerated: boolean;
  /** The role may SELECT it. */
  readonly isReadable: boolean;
}

export type ReferentialAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

/** A foreign key, as the table that it points at sees it. */
export interface PostgresReference {
  /** The oid of the referencing table. */
  readonly table: string;
  readonly name: TableName;
  readonly columns: readonly string[];
  readonly referenced: readonly string[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  /** What SET NULL and SET DEFAULT set when a row is deleted; on an update they set all of `columns`. */
  readonly setColumns: readonly string[];
}

export type TriggerEvent = 'insert' | 'update' | 'delete' | 'truncate';

export interface PostgresTrigger {
  readonly name: string;
  readonly timing: 'before' | 'after' | 'instead of';
  readonly events: ReadonlySet<TriggerEvent>;
  readonly isRow: boolean;
  /** False only where its function is known to write no other row. */
  readonly mayWrite: boolean;
}

export type RelationKind = 'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign' | 'other';

export interface ChildTable {
  readonly oid: string;
  readonly kind: RelationKind;
  /** Changes with its own triggers. Compare it with what `triggersExpression` gives. */
  readonly triggers: string;
}

export interface PostgresTable extends TableInfo {
  /** What events call it: of a partition, the name of the table that is partitioned. */
  readonly name: TableName;
  /** Its own name. */
  readonly relation: TableName;
  readonly oid: string;
  readonly kind: RelationKind;
  readonly columns: readonly PostgresColumn[];
  /**
   * Changes whenever a column is added, dropped, renamed or retyped, and now and then without a cause. Compare it with what
   * `fingerprintExpression` gives.
   */
  readonly fingerprint: string;
  /**
   * Changes whenever the table is renamed, or its triggers, foreign keys from and to it, rules, row-level security or
   * privileges change, and now and then without a cause. Compare it with what `effectsExpression` gives. It does not change
   * with the source of a trigger's function, nor with what happens to `children`: see `functions` and `children`.
   */
  readonly effects: string;
  /** The oids of the functions of `triggers`. */
  readonly triggerFunctions: readonly string[];
  /** Changes whenever one of these is replaced. Compare it with what `functionsExpression` gives. */
  readonly functions: string;
  /**
   * A column was added that the transaction's snapshot does not show: `columns` lacks it, and the fingerprint that the
   * transaction sees does not change with it. Only in transactions that keep one snapshot.
   */
  readonly isBehind: boolean;
  /** The names of its rewrite rules; a view's own rule is none. */
  readonly rules: readonly string[];
  /** Those that fire: not the disabled ones, and not those that keep foreign keys. Row triggers of `children` too. */
  readonly triggers: readonly PostgresTrigger[];
  /**
   * By event, whether triggers of @indelible/postgres-triggers record the table and all of `children`, or some of them. They
   * are not among `triggers`.
   */
  readonly recorders: ReadonlyMap<TriggerEvent, 'whole' | 'part'>;
  /** The events of which these triggers leave word each time that they fire, also where no row was touched: see `sayProof`. */
  readonly provenRecorders: ReadonlySet<TriggerEvent>;
  /** The schemas of the audit tables that the triggers of `recorders` write to. */
  readonly recorderSchemas: ReadonlySet<string>;
  /** Row-level security holds for the role. */
  readonly hasRowSecurity: boolean;
  /** The role may read system columns, such as `ctid`: a right on each of the columns does not hold for them. */
  readonly mayReadPlaces: boolean;
  /** The role may update each of its columns. */
  readonly mayUpdate: boolean;
  /** The role may lock its rows, for which the right to update one of its columns is enough. */
  readonly mayLock: boolean;
  /** A view that the database itself can write through: an INSERT, UPDATE or DELETE becomes one of the table beneath. */
  readonly isUpdatableView: boolean;
  /** The oids of the relations that a view reads. */
  readonly reads: readonly string[];
  /** Foreign keys that point at it or at one of `children`. */
  readonly referencedBy: readonly PostgresReference[];
  /** Partitions and tables that inherit from it, at any depth: a statement on it touches their rows too. */
  readonly children: readonly ChildTable[];
  /** Its primary key is checked at the end of a statement or of the transaction: until then two rows may have the same. */
  readonly isKeyLate: boolean;
  /** That of the database. */
  readonly encoding: TextEncoding;
  /** The oid of the table whose partition it is, at any depth; its own where it is none. */
  readonly root: string;
  readonly isTemporary: boolean;
  /** It holds values that are stored apart from their rows, more of them than fit into one event. */
  readonly isWide: boolean;
}
