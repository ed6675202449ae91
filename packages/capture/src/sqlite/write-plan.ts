import type { Statement } from '../statement.js';
import type { SqliteCatalogue, SqliteTable, SqliteTrigger } from './sqlite-catalogue.js';

/** What a trigger of ours must watch on a table. */
export type WatchedEvent = 'insert' | 'update' | 'delete' | ReplaceEvent;

/** An insertion or an update that may delete the rows that stand in its way. */
export type ReplaceEvent = 'insert_over' | 'update_over';

/** Every table and event that a statement may touch, itself or through foreign keys, triggers and views. */
export interface WritePlan {
  readonly watched: ReadonlyMap<SqliteTable, ReadonlySet<WatchedEvent>>;
  /** Rows may be deleted by a REPLACE conflict clause. */
  readonly replaces: boolean;
  /** Triggers of the application take part. */
  readonly hasTriggers: boolean;
  /** Tables on which no trigger can be made. */
  readonly unwatchable: readonly SqliteTable[];
  /** The table that the statement names first: usually the only one that it writes. */
  readonly target: SqliteTable | undefined;
}

const ANY_COLUMN = 'any';
const ACTIONS = new Set(['CASCADE', 'SET NULL', 'SET DEFAULT']);
const MAX_LOCATOR = 6;

/**
 * Over-estimates on purpose: a name that stands anywhere in the statement counts as written. A table watched for
 * nothing costs a little; one that is not watched would be silence.
 */
export function planWrite(
  catalogue: SqliteCatalogue,
  statement: Statement,
  ignores: (table: SqliteTable) => boolean,
): WritePlan {
  const planner = new Planner(catalogue, ignores, conflictClause(statement.words));
  const target = planner.addNames(statement.names, statement.words, withRowidAliases(statement.assigned));
  return {
    watched: planner.watched,
    replaces: planner.replaces,
    hasTriggers: planner.hasTriggers,
    unwatchable: [...planner.unwatchable],
    target,
  };
}

/** The clause of the statement overrides those of its triggers and of the tables' constraints. */
function conflictClause(words: ReadonlySet<string>): 'replace' | 'other' | undefined {
  if (words.has('REPLACE')) return 'replace';
  return ['IGNORE', 'FAIL', 'ABORT', 'ROLLBACK'].some((word) => words.has(word)) ? 'other' : undefined;
}

/** Assigning to an alias of the rowid assigns to an INTEGER PRIMARY KEY, whatever that is called. */
function withRowidAliases(assigned: ReadonlySet<string>): ReadonlySet<string> | typeof ANY_COLUMN {
  return ['rowid', '_rowid_', 'oid'].some((alias) => assigned.has(alias)) ? ANY_COLUMN : assigned;
}

class Planner {
  readonly watched = new Map<SqliteTable, Set<WatchedEvent>>();
  readonly unwatchable = new Set<SqliteTable>();
  readonly #seen = new Set<string>();
  readonly #seenTriggers = new Set<SqliteTrigger>();
  replaces = false;
  hasTriggers = false;

  constructor(
    private readonly catalogue: SqliteCatalogue,
    private readonly ignores: (table: SqliteTable) => boolean,
    private readonly clause: 'replace' | 'other' | undefined,
  ) {}

  addNames(
    names: ReadonlySet<string>,
    words: ReadonlySet<string>,
    assigned: ReadonlySet<string> | typeof ANY_COLUMN,
  ): SqliteTable | undefined {
    let first: SqliteTable | undefined;
    for (const name of names) {
      const table = this.catalogue.tables.get(name);
      if (table !== undefined) {
        if (!this.ignores(table)) first ??= table;
        this.#addVerbs(table, words, assigned);
      }
      const view = this.catalogue.views.get(name);
      if (view !== undefined) for (const trigger of view.triggers) this.#addTrigger(trigger);
    }
    return first;
  }

  #addVerbs(
    table: SqliteTable,
    words: ReadonlySet<string>,
    assigned: ReadonlySet<string> | typeof ANY_COLUMN,
  ): void {
    const inserts = words.has('INSERT') || words.has('REPLACE');
    if (inserts) this.#add(table, 'insert', ANY_COLUMN);
    if (words.has('UPDATE')) this.#add(table, 'update', assigned);
    if (words.has('DELETE')) this.#add(table, 'delete', ANY_COLUMN);
    const replaces = words.has('REPLACE') || table.replacesOnConflict;
    if (this.clause !== 'replace' && (this.clause === 'other' || !replaces)) return;
    this.replaces = true;
    this.#add(table, 'delete', ANY_COLUMN);
    if (this.ignores(table)) return;
    if (inserts) this.#watch(table, 'insert_over');
    if (words.has('UPDATE')) this.#watch(table, 'update_over');
  }

  #add(table: SqliteTable, event: WatchedEvent, columns: ReadonlySet<string> | typeof ANY_COLUMN): void {
    const step = `${table.number} ${event} ${columns === ANY_COLUMN ? '*' : [...columns].sort().join(',')}`;
    if (this.#seen.has(step)) return;
    this.#seen.add(step);
    // What is not recorded itself still leads to rows of other tables.
    if (!this.ignores(table)) this.#watch(table, event);
    for (const trigger of table.triggers) this.#addTrigger(trigger);
    for (const action of table.actions) {
      if (event === 'delete' && action.onDelete === 'CASCADE') this.#add(action.child, 'delete', ANY_COLUMN);
      else if (event === 'delete' && ACTIONS.has(action.onDelete)) {
        this.#add(action.child, 'update', action.childColumns);
      }
      const keyMayChange =
        columns === ANY_COLUMN ||
        [...action.parentColumns].some((column) => columns.has(column) || table.generated.has(column));
      if (event === 'update' && keyMayChange && ACTIONS.has(action.onUpdate)) {
        this.#add(action.child, 'update', action.childColumns);
      }
    }
  }

  #watch(table: SqliteTable, event: WatchedEvent): void {
    if (table.isVirtual || table.locator.length === 0 || table.locator.length > MAX_LOCATOR) {
      this.unwatchable.add(table);
      return;
    }
    const events = this.watched.get(table) ?? new Set();
    this.watched.set(table, events.add(event));
  }

  /** What a trigger of the application does is not followed statement by statement: all it mentions is watched. */
  #addTrigger(trigger: SqliteTrigger): void {
    if (this.#seenTriggers.has(trigger)) return;
    this.#seenTriggers.add(trigger);
    this.hasTriggers = true;
    this.addNames(trigger.names, trigger.words, ANY_COLUMN);
  }
}
