import type { CaptureConnection, EngineRows, Inexact, Readiness } from '../dialect.js';
import { isCarriedOn, type SchemaView } from './cascades.js';
import { eventsOf, findUntold } from './find-write-limits.js';
import { isSteady } from './plan-write.js';
import { type PostgresTable, SCOPE_EXPRESSION } from './postgres-catalogue.js';
import { type ReachedTables, recorderOf } from './recorders.js';
import { stateExpression, stateOf } from './table-state.js';
import type { RowWrite } from './write-shape.js';

const AS_IT_IS = { columns: 0, returnsRows: true, isSteady: true };

interface Left {
  readonly write: RowWrite;
  readonly tables: ReachedTables;
  readonly asked: Promise<EngineRows> | undefined;
  /** COMMIT goes along with this, which fails where the triggers have not said that they fired. */
  readonly proven: Promise<number> | undefined;
}

/**
 * What has become of a write: its triggers are as they were thought to be, or have not said that they fired, and nothing of it is
 * left, or are others than they were.
 */
export type LeftOutcome =
  | 'told'
  | { readonly kind: 'silent' | 'changed'; readonly table: PostgresTable; readonly inexact: Inexact };

/**
 * The writes that run as they were written, because triggers record what they do. That the triggers are still there is asked
 * right behind the first write on each table: from that write on it is locked, and nobody can take them off before the
 * transaction ends. Asked before it, they could go in between.
 */
export class LeftToTriggers {
  #left: Left | undefined;
  /** The oids of the tables that were asked about. */
  readonly #sure = new Set<string>();

  constructor(private readonly connection: CaptureConnection) {}

  /**
   * @param tables the one that is written, and those that its foreign keys reach
   * @param mayRunAgain the transaction is of this statement alone
   * @param isSeen neither the text of the statement nor a setting hides anything
   */
  leave(
    sql: string,
    write: RowWrite,
    tables: ReachedTables,
    mayRunAgain: boolean,
    isSeen: boolean,
  ): Readiness {
    const [table] = tables;
    const { connection } = this;
    if (!tables.every(({ oid }) => this.#sure.has(oid))) this.#ask(write, tables, mayRunAgain && isSeen);
    const inexact = findUntold(write, table);
    const isKept = connection.committing !== undefined && mayRunAgain && isSteady(sql, write, table);
    return isKept ? { inexact, rewritten: { sql, ...AS_IT_IS } } : { inexact };
  }

  #ask(write: RowWrite, tables: ReachedTables, mayCommit: boolean): void {
    const [table] = tables;
    const { connection } = this;
    const proof = mayCommit && isProvable(write, table) ? sayProof(write, table) : undefined;
    const proven = proof && connection.committing?.(...proof);
    const asked = proven === undefined ? connection.behind?.(stateQuery(tables), []) : undefined;
    // The statement that it goes with tells first that it failed.
    proven?.catch(() => undefined);
    asked?.catch(() => undefined);
    this.#left = { write, tables, asked, proven };
  }

  /**
   * The statement has run.
   * @param isSame whether names mean what they were thought to
   * @param look anew for a table of which too little was known
   */
  async settle(
    isSame: (scope: unknown) => boolean,
    look: () => Pick<SchemaView, 'find'>,
  ): Promise<LeftOutcome> {
    const left = this.#left;
    this.#left = undefined;
    if (left === undefined) return 'told';
    const { write, tables, asked, proven } = left;
    const [table] = tables;
    const reason = `"${table.name.name}", which triggers may not record any more`;
    const inexact: Inexact = { table: table.name, fidelity: 'opaque', reason };
    if (proven !== undefined) {
      return (await proven.then(yes, isChanged)) ? 'told' : { kind: 'silent', table, inexact };
    }
    const [row] = await (asked ?? this.connection.query(stateQuery(tables)));
    if (isSame(row?.[1]) && row?.[0] === stateOf(tables)) {
      for (const { oid } of tables) this.#sure.add(oid);
      return 'told';
    }
    const now = await look().find(write.target);
    const isAlone = tables.length === 1 && now !== undefined;
    if (isAlone && recorderOf(now, eventsOf(write)) === 'triggers' && findUntold(write, now).length === 0)
      return 'told';
    return { kind: 'changed', table, inexact };
  }

  /** The statement did not run. */
  abandon(): void {
    this.#left = undefined;
  }

  /** The locks on the tables may be gone, or names mean something else. */
  forget(): void {
    this.#left = undefined;
    this.#sure.clear();
  }
}

function stateQuery(tables: ReachedTables): string {
  return `SELECT ${stateExpression(tables)} AS state, ${SCOPE_EXPRESSION} AS scope`;
}

/** What the triggers say is all that matters: nothing goes on to other tables, and nothing else may write. */
function isProvable(write: RowWrite, table: PostgresTable): boolean {
  return (
    eventsOf(write).every((event) => table.provenRecorders.has(event)) &&
    table.triggers.length === 0 &&
    !isCarriedOn(write, table) &&
    findUntold(write, table).length === 0
  );
}

/** The setting in which the triggers say of which table they told which events, and what its catalogue said then. */
const SAID = `pg_catalog.current_setting('indelible.told', true)`;
/** No setting has this name, and the database says so. */
const CHANGED = 'indelible.triggers_have_changed';

/** A query that fails where the triggers of the table did not fire, or the table is another one by now. */
function sayProof(write: RowWrite, { oid, effects }: PostgresTable): readonly [string, readonly string[]] {
  const said = eventsOf(write).map((event) => `${oid} ${event} ${effects};`);
  const found = said.map((_, at) => `pg_catalog.strpos(${SAID}, $${at + 1}) > 0`);
  const sql = `SELECT CASE WHEN ${found.join(' AND ')} THEN 1 ELSE pg_catalog.length(pg_catalog.current_setting('${CHANGED}')) END`;
  return [sql, said];
}

const yes = (): boolean => true;

/** @throws what else it failed with */
function isChanged(error: unknown): boolean {
  if (String(error instanceof Error ? error.message : error).includes(CHANGED)) return false;
  throw error;
}
