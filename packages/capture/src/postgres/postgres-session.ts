import { orderChanges } from '../change-order.js';
import type {
  CaptureConnection,
  CaptureSession,
  EngineRows,
  Inexact,
  Readiness,
  RowChange,
  SessionOptions,
  StatementChanges,
} from '../dialect.js';
import { errorText } from '../error-text.js';
import type { Statement } from '../statement.js';
import {
  type CascadeContext,
  type CascadeImage,
  imageCascades,
  isCarriedOn,
  type Step,
  settleCascades,
} from './cascades.js';
import { findWriteLimits } from './find-write-limits.js';
import { imageTruncation } from './image-truncation.js';
import { lockStatement } from './lock-statement.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { PostgresRow } from './postgres-row.js';
import type { PostgresSchema } from './postgres-schema.js';
import { parseRecord } from './record-text.js';
import { EngineColumn, rewriteWrite } from './rewrite-write.js';
import type { NamedTable, RowWrite } from './write-shape.js';

// Class 42: a column or a table that is not there, a type that does not fit, a right that is missing.
const OUTDATED = /\b42[0-9A-Z]{3}\b|ColumnNotFound|TableDoesNotExist/;
const NOTHING: Readiness = { inexact: [] };
const NO_CHANGES: StatementChanges = { rows: [], inexact: [] };

interface Plan {
  readonly write: RowWrite;
  readonly table: PostgresTable;
  readonly cascades: CascadeImage | undefined;
}

type Ask = (sql: string) => Promise<EngineRows>;

/** Follows one transaction on PostgreSQL. Every write is one statement, which answers with the rows that it touched. */
export class PostgresSession implements CaptureSession {
  #plan: Plan | undefined;
  /** The rows that the TRUNCATE which runs next will take. */
  #truncated: readonly RowChange[] = [];

  constructor(
    private readonly connection: CaptureConnection,
    private readonly options: SessionOptions,
    private readonly schema: PostgresSchema,
  ) {}

  async before(_: Statement, sql: string, ask: Ask): Promise<Readiness> {
    this.abandon();
    const calls = this.schema.writingCalls(sql).map(
      (name): Inexact => ({
        table: null,
        fidelity: 'opaque',
        reason: `the function ${name}, which may write rows`,
      }),
    );
    const { inexact, rewritten } = await this.#look(sql, ask);
    return rewritten === undefined
      ? { inexact: [...calls, ...inexact] }
      : { inexact: [...calls, ...inexact], rewritten };
  }

  async #look(sql: string, ask: Ask): Promise<Readiness> {
    const shape = this.schema.shapeOf(sql);
    if (shape.verb === 'query') return NOTHING;
    if (shape.verb === 'unreadable') return { inexact: await this.#unreadable(shape.reason, shape.tables) };
    if (shape.verb === 'truncate') {
      const { changes, inexact } = await imageTruncation(this.#context, shape, this.options.ignores);
      this.#truncated = changes;
      return { inexact };
    }
    const table = await this.schema.find(this.connection, shape.target);
    // Without such a table the database refuses the statement itself.
    if (table === undefined || this.options.ignores(table.name)) return NOTHING;
    const limits = findWriteLimits(shape, table);
    if (limits.blocks !== undefined) return { inexact: [limits.blocks] };
    const version = await this.schema.version(this.connection);
    const rewritten = rewriteWrite(sql, shape, table, version);
    if (rewritten === undefined) {
      const what =
        shape.verb === 'merge' ? 'a MERGE into' : 'no column that is assigned by itself in an UPDATE of';
      const reason = `${what} "${table.name.name}"`;
      return { inexact: [{ table: table.name, fidelity: 'opaque', reason }] };
    }
    const inexact = [...limits.inexact];
    let cascades: CascadeImage | undefined;
    if (isCarriedOn(shape, table)) {
      const lock = lockStatement(sql, shape, table);
      if (lock === undefined || shape.verb === 'insert' || shape.verb === 'merge') {
        const reason = `the foreign keys that point at "${table.name.name}"`;
        inexact.push({ table: table.name, fidelity: 'opaque', reason });
      } else {
        cascades = await imageCascades(this.#context, shape, table, await ask(lock));
        inexact.push(...cascades.inexact);
      }
    }
    this.#plan = { write: shape, table, cascades };
    return { inexact, rewritten };
  }

  async after(rows: EngineRows): Promise<StatementChanges> {
    const truncated = this.#truncated;
    this.#truncated = [];
    if (truncated.length > 0) return { rows: truncated, inexact: [] };
    const plan = this.#plan;
    this.#plan = undefined;
    const [first] = rows;
    if (plan === undefined || first === undefined) return NO_CHANGES;
    const table = await this.#tableOf(plan, first);
    if (rows.length > this.options.maxRows) {
      const reason = `more than ${this.options.maxRows} rows at once`;
      return {
        rows: [],
        inexact: [{ table: table.name, fidelity: 'count-only', count: rows.length, reason }],
      };
    }
    const changes = rows.flatMap((row) => readChange(table, row));
    if (plan.cascades === undefined) return { rows: orderChanges(changes), inexact: [] };
    const at = Number(rows.at(-1)?.[EngineColumn.clock]);
    const further = await settleCascades(this.#context, plan.cascades, stepsOf(table, rows), at);
    const told = further.filter((change) => !this.options.ignores(change.table.name));
    return { rows: orderChanges([...changes, ...told]), inexact: findUnlocked(table, plan.cascades, rows) };
  }

  abandon(error?: unknown): void {
    this.#plan = undefined;
    this.#truncated = [];
    // What was known of the table may be why it failed.
    if (error !== undefined && OUTDATED.test(errorText(error))) this.schema.forget();
  }

  async beforeSchemaChange(): Promise<void> {
    this.schema.forget();
  }

  async wasRolledBack(): Promise<boolean> {
    try {
      await this.connection.query('SELECT 1');
      return false;
    } catch {
      return true;
    }
  }

  /** What it may have taken back of the schema the next statement tells. */
  savepointRolledBack(): void {}

  renew(): void {
    this.abandon();
  }

  async skip(): Promise<void> {
    this.abandon();
  }

  forget(): void {
    this.abandon();
  }

  /** Ids of row changes are made from the database's own clock. */
  floorId(): string | null {
    return null;
  }

  get #context(): CascadeContext {
    return { connection: this.connection, schema: this.schema, maxRows: this.options.maxRows };
  }

  /** The table as it is now: what the statement answered tells whether it is still the one that was known. */
  async #tableOf({ write, table }: Plan, row: readonly unknown[]): Promise<PostgresTable> {
    const isSame =
      row[EngineColumn.fingerprint] === table.fingerprint &&
      this.schema.isInScope(String(row[EngineColumn.scope]));
    if (isSame) return table;
    this.schema.forget();
    return (await this.schema.find(this.connection, write.target)) ?? table;
  }

  async #unreadable(reason: string, named: readonly NamedTable[]): Promise<readonly Inexact[]> {
    if (named.length === 0) return [{ table: null, fidelity: 'opaque', reason }];
    const inexact: Inexact[] = [];
    for (const name of named) {
      const table = await this.schema.find(this.connection, name);
      if (table === undefined || this.options.ignores(table.name)) continue;
      inexact.push({ table: table.name, fidelity: 'opaque', reason });
    }
    return inexact;
  }
}

function readChange(table: PostgresTable, row: readonly unknown[]): readonly RowChange[] {
  const old = row[EngineColumn.old];
  const now = row[EngineColumn.new];
  if (old === now) return [];
  const place = row[EngineColumn.place];
  const at = typeof place === 'string' ? place : null;
  return [
    {
      table,
      before: typeof old === 'string' ? new PostgresRow(old, table.columns) : null,
      after: typeof now === 'string' ? new PostgresRow(now, table.columns) : null,
      from: at,
      to: at,
      at: Number(row[EngineColumn.clock]),
    },
  ];
}

function stepsOf(table: PostgresTable, rows: EngineRows): readonly Step[] {
  return rows.flatMap((row) => {
    const before = row[EngineColumn.old];
    const after = row[EngineColumn.new];
    if (typeof before !== 'string' || typeof after !== 'string') return [];
    const { oid, columns } = table;
    return [{ oid, columns, before: parseRecord(before), after: parseRecord(after) }];
  });
}

/** Rows that came to match only after the others were locked: what pointed at them was not read. */
function findUnlocked(table: PostgresTable, { locked }: CascadeImage, rows: EngineRows): readonly Inexact[] {
  const count = rows.filter((row) => !locked.has(String(row[EngineColumn.old]))).length;
  if (count === 0) return [];
  const reason = `the foreign keys that point at rows of "${table.name.name}" which came to match at the last moment`;
  return [{ table: table.name, fidelity: 'opaque', count, reason }];
}
