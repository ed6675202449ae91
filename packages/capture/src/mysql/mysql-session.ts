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
import { errorNumbers } from '../error-text.js';
import type { Statement } from '../statement.js';
import type { SchemaView } from './cascades.js';
import { endsTransaction } from './ends-transaction.js';
import { asLocked, countedOnly, lateRows, leftByFailure, tooLong } from './late-limits.js';
import type { MysqlSchema, ServerState } from './mysql-schema.js';
import { findColumn, type MysqlTable } from './mysql-table.js';
import { askNotes, keyOf } from './noted-rows.js';
import { planWrite, type WritePlan } from './plan-write.js';
import { finalRows } from './replaced-rows.js';
import { ReturnedColumn, type Target } from './rewrite-write.js';
import { readImage } from './row-image.js';
import { selectByKeys } from './select-by-keys.js';
import { type OwnRow, settleRows } from './settle-rows.js';
import { findStayed } from './stayed-rows.js';
import type { NamedTable, RowWrite } from './write-shape.js';

const NOTHING: Readiness = { inexact: [] };
const NO_CHANGES: StatementChanges = { rows: [], inexact: [] };
// Unknown column, table or function: what was known is out of date.
const OUTDATED = new Set([1054, 1146, 1305, 1412, 1615]);
const TRIES = 2;

type Ask = (sql: string) => Promise<EngineRows>;

/** Follows one transaction on MySQL or MariaDB. */
export class MysqlSession implements CaptureSession {
  #plan: WritePlan | undefined;
  #state: ServerState | undefined;
  #hasEnded = false;

  constructor(
    private readonly connection: CaptureConnection,
    private readonly options: SessionOptions,
    private readonly schema: MysqlSchema,
    private readonly countsFound: boolean,
  ) {}

  async before(_: Statement, sql: string, ask: Ask): Promise<Readiness> {
    this.abandon();
    this.#state = await this.schema.state(this.connection);
    const reasons = [
      ...this.schema.writingCalls(sql).map((name) => `the routine ${name}, which may write rows`),
      ...this.schema.unsafeSettings.map((setting) => `the setting ${setting}`),
    ];
    const found = reasons.map((reason): Inexact => ({ table: null, fidelity: 'opaque', reason }));
    const { inexact, rewritten } = await this.#lookAgain(sql, ask);
    const all = [...found, ...inexact];
    return rewritten === undefined ? { inexact: all } : { inexact: all, rewritten };
  }

  /** What is known of the schema may be out of date, which shows on the way. */
  async #lookAgain(sql: string, ask: Ask): Promise<Readiness> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#look(sql, ask);
      } catch (error) {
        if (tries === TRIES || !errorNumbers(error).some((number) => OUTDATED.has(number))) throw error;
        this.schema.forget();
      }
    }
  }

  async #look(sql: string, ask: Ask): Promise<Readiness> {
    const shape = this.schema.shapeOf(sql);
    if (shape.verb === 'query') return NOTHING;
    if (shape.verb === 'unreadable') return { inexact: await this.#unreadable(shape.reason, shape.tables) };
    const targets = await this.#targets(shape);
    if (targets.length === 0) return NOTHING;
    const state = await this.schema.state(this.connection);
    const plan = await planWrite({
      view: this.#view(state),
      sql,
      write: shape,
      targets,
      mode: state.mode,
      supportsReturning: state.supportsReturning,
      countsFound: this.countsFound,
      ask,
    });
    const { inexact, rewritten } = plan;
    if (rewritten === undefined) return { inexact };
    this.#plan = plan;
    return { inexact, rewritten };
  }

  /** The tables whose rows the statement touches, but for those that are not captured. */
  async #targets(write: RowWrite): Promise<readonly Target[]> {
    const known: { named: NamedTable; table: MysqlTable }[] = [];
    for (const named of write.targets) {
      const table = await this.#find(named);
      // Without such a table the database refuses the statement itself.
      if (table !== undefined) known.push({ named, table });
    }
    const targets = known.map(({ named, table }): Target => {
      const assignments = write.assignments.filter((assignment) =>
        assignment.table === null
          ? findColumn(table, assignment.column) !== undefined
          : assignment.table.toLowerCase() === named.alias.toLowerCase(),
      );
      const setsKey = assignments.some(({ column }) =>
        table.key.includes(findColumn(table, column)?.name ?? ''),
      );
      return { named, table, assignments, setsKey };
    });
    return targets.filter(
      ({ table, assignments }) =>
        !this.options.ignores(table.name) && (write.verb !== 'update' || assignments.length > 0),
    );
  }

  async #find(named: NamedTable): Promise<MysqlTable | undefined> {
    const table = await this.schema.find(this.connection, named);
    if (table !== undefined) return table;
    this.schema.forget();
    return this.schema.find(this.connection, named);
  }

  async after(rows: EngineRows, hasFailed = false): Promise<StatementChanges> {
    const plan = this.#plan;
    this.#plan = undefined;
    const state = this.#state;
    if (plan === undefined || state === undefined) return NO_CHANGES;
    if (hasFailed) return leftByFailure(plan);
    if (plan.returned !== undefined) return this.#afterReturned(plan, plan.returned, rows, state);
    return this.#afterNoted(plan, state);
  }

  async #afterReturned(
    plan: WritePlan,
    { table }: Target,
    rows: EngineRows,
    state: ServerState,
  ): Promise<StatementChanges> {
    const { write } = plan;
    if (rows.length > this.options.maxRows) return countedOnly(plan, [table], rows.length, this.options);
    const kept = write.verb === 'replace' ? finalRows(table, rows) : rows;
    const own: OwnRow[] = (plan.replaced?.rows ?? []).map((before) => ({
      table,
      before,
      after: null,
      nextKey: undefined,
    }));
    const inexact: Inexact[] = [];
    for (const row of kept) {
      const image = readImage(row[ReturnedColumn.image], table);
      const old = row[ReturnedColumn.old] ?? null;
      const before = old === null ? null : readImage(old, table);
      if (image === undefined || before === undefined) inexact.push(tooLong(table));
      else if (write.verb === 'delete') own.push({ table, before: image, after: null, nextKey: undefined });
      else own.push({ table, before, after: image, nextKey: undefined });
    }
    const at = Number(rows.at(-1)?.[ReturnedColumn.clock]);
    return this.#settle(plan, own, at, state, inexact);
  }

  async #afterNoted(plan: WritePlan, state: ServerState): Promise<StatementChanges> {
    const { noted, write } = plan;
    const [single, second] = noted;
    const isAlone =
      single !== undefined && second === undefined && !single.setsKey && write.verb === 'update';
    const view = this.#view(state);
    const alone = isAlone ? { note: single.note, table: single.table, maxBytes: view.maxBytes } : undefined;
    const notes = noted.map(({ note }) => note);
    const [answer = []] = await this.connection.query(askNotes(notes, alone));
    const [count, at] = [Number(answer[0]), Number(answer[1])];
    const own: OwnRow[] = [];
    const inexact: Inexact[] = [];
    for (const [index, { note, table, setsKey }] of noted.entries()) {
      const told = note.read(answer[2 + index * 2], answer[3 + index * 2], setsKey);
      if (told.isCut || told.rows.length > this.options.maxRows) {
        const tables = noted.map((target) => target.table);
        return countedOnly(plan, tables, noted.length === 1 ? count : undefined, this.options);
      }
      const byKey = new Map<string, OwnRow>();
      for (const { before, nextKey } of told.rows) {
        if (before === undefined) {
          inexact.push(tooLong(table));
          continue;
        }
        const key = keyOf(table, before);
        // A join meets a row several times, and an UPDATE changes it once. A DELETE may look twice: the second time it holds.
        if (write.verb === 'update' && byKey.has(key)) continue;
        byKey.set(key, { table, before, after: undefined, nextKey });
      }
      own.push(...byKey.values());
    }
    const [first] = own;
    const last = answer[2 + noted.length * 2];
    if (isAlone && own.length === 1 && first !== undefined && last instanceof Uint8Array) {
      const after = readImage(last, first.table);
      if (after !== undefined) own[0] = { ...first, after };
    }
    if (write.verb === 'delete') return this.#settle(plan, await this.#gone(own, state), at, state, inexact);
    if (!write.ignores || !noted.some(({ setsKey }) => setsKey))
      return this.#settle(plan, own, at, state, inexact);
    const { rows, unclear } = await findStayed(view, own);
    return this.#settle(plan, rows, at, state, [...inexact, ...unclear]);
  }

  /** Of the rows that a DELETE has noted those that it has deleted. */
  async #gone(own: readonly OwnRow[], state: ServerState): Promise<readonly OwnRow[]> {
    const gone: OwnRow[] = [];
    for (const table of new Set(own.map((row) => row.table))) {
      const rows = own.filter((row) => row.table === table);
      const keys = rows.map(({ before }) =>
        table.key.map((name) => before?.[table.columns.findIndex((column) => column.name === name)] ?? null),
      );
      const left = await selectByKeys(this.connection, table, table.key, keys, this.#view(state).maxBytes);
      const alive = new Set(left.flatMap((row) => (row === undefined ? [] : [keyOf(table, row)])));
      for (const row of rows) {
        if (row.before !== null && !alive.has(keyOf(table, row.before))) gone.push({ ...row, after: null });
      }
    }
    return gone;
  }

  async #settle(
    plan: WritePlan,
    own: readonly OwnRow[],
    at: number,
    state: ServerState,
    inexact: readonly Inexact[],
  ): Promise<StatementChanges> {
    const { cascades, write } = plan;
    const late = cascades === undefined ? [] : lateRows(cascades.locked, own);
    const known = cascades === undefined || write.verb !== 'delete' ? own : asLocked(cascades.locked, own);
    const settled = await settleRows(this.#view(state), known, cascades?.reached ?? [], at);
    const told = settled.rows.filter((change) => !this.options.ignores(change.table.name));
    // A statement that inserts may come to one row twice, and returns what it does in its order.
    const isInOrder = write.verb === 'replace' || write.verb === 'insert';
    const rows: readonly RowChange[] = isInOrder ? told : orderChanges(told);
    return { rows, inexact: [...inexact, ...late, ...settled.inexact] };
  }

  abandon(error?: unknown): void {
    this.#plan = undefined;
    if (error !== undefined && errorNumbers(error).some((number) => OUTDATED.has(number)))
      this.schema.forget();
  }

  async beforeSchemaChange(): Promise<void> {
    this.schema.forget();
  }

  async wasRolledBack(): Promise<boolean> {
    this.#state ??= await this.schema.state(this.connection).catch(() => undefined);
    // MySQL does not tell: there the error does.
    if (this.#state?.isMariaDb !== true) return this.#hasEnded;
    try {
      const [row] = await this.connection.query('SELECT @@in_transaction');
      return Number(row?.[0]) === 0;
    } catch {
      return true;
    }
  }

  noteFailure(error: unknown): void {
    if (endsTransaction(error)) this.#hasEnded = true;
  }

  savepointRolledBack(): void {
    this.abandon();
  }

  renew(): void {
    this.abandon();
    this.#hasEnded = false;
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

  #view(state: ServerState): SchemaView {
    const { connection, schema } = this;
    return {
      connection,
      maxRows: this.options.maxRows,
      maxBytes: state.maxBytes,
      byId: (id) => schema.byId(connection, id),
    };
  }

  async #unreadable(reason: string, named: readonly NamedTable[]): Promise<readonly Inexact[]> {
    if (named.length === 0) return [{ table: null, fidelity: 'opaque', reason }];
    const inexact: Inexact[] = [];
    for (const name of named) {
      const table = await this.#find(name);
      if (table === undefined || this.options.ignores(table.name)) continue;
      inexact.push({ table: table.name, fidelity: 'opaque', reason });
    }
    return inexact;
  }
}
