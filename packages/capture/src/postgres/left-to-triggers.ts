import type { CaptureConnection, EngineRows, Inexact } from '../dialect.js';
import type { SchemaView } from './cascades.js';
import { eventsOf } from './find-write-limits.js';
import { type PostgresTable, SCOPE_EXPRESSION } from './postgres-catalogue.js';
import { recorderOf } from './recorders.js';
import { stateExpression, stateOf } from './table-state.js';
import type { RowWrite } from './write-shape.js';

interface Left {
  readonly write: RowWrite;
  readonly table: PostgresTable;
  readonly asked: Promise<EngineRows>;
}

/** What a table is and what names mean, as the database says. */
interface TableState {
  readonly state: unknown;
  readonly scope: unknown;
}

/**
 * The writes that run as they were written, because triggers record what they do. That the triggers are still there is asked
 * along with the first write on each table: from then on it is locked, and nobody can take them off before the transaction ends.
 */
export class LeftToTriggers {
  #left: Left | undefined;
  /** The oids of the tables that were asked about. */
  readonly #sure = new Set<string>();

  constructor(private readonly connection: CaptureConnection) {}

  /** @param check throws where the table is not what it was thought to be, before anything has run */
  async leave(write: RowWrite, table: PostgresTable, check: (told: TableState) => void): Promise<void> {
    if (this.#sure.has(table.oid)) return;
    const sql = `SELECT ${stateExpression([table])} AS state, ${SCOPE_EXPRESSION} AS scope`;
    if (this.connection.ahead === undefined) {
      check(stateIn(await this.connection.query(sql)));
      this.#sure.add(table.oid);
      return;
    }
    const asked = this.connection.ahead(sql, []);
    // The statement that it goes with tells first that it failed.
    asked.catch(() => undefined);
    this.#left = { write, table, asked };
  }

  /**
   * The statement has run. @returns what could not be seen of it
   * @param isSame whether names mean what they were thought to
   * @param look anew for a table of which too little was known
   */
  async settle(
    isSame: (scope: unknown) => boolean,
    look: () => Pick<SchemaView, 'find'>,
  ): Promise<readonly Inexact[]> {
    const left = this.#left;
    this.#left = undefined;
    if (left === undefined) return [];
    const { write, table, asked } = left;
    const { state, scope } = stateIn(await asked);
    if (isSame(scope) && state === stateOf([table])) {
      this.#sure.add(table.oid);
      return [];
    }
    const now = await look().find(write.target);
    if (now !== undefined && recorderOf(now, eventsOf(write)) === 'triggers') return [];
    const reason = `"${table.name.name}", which triggers do not record any more`;
    return [{ table: table.name, fidelity: 'opaque', reason }];
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

function stateIn([row]: EngineRows): TableState {
  return { state: row?.[0], scope: row?.[1] };
}
