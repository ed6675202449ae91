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
import type { SchemaView } from './cascades.js';
import { countedOnly, tooMany } from './counted-only.js';
import { eventsOf, findUntold } from './find-write-limits.js';
import { imageTruncation } from './image-truncation.js';
import { hasLarge, mayBringLarge } from './large-input.js';
import { findLateLimits, findUnread } from './late-limits.js';
import { LeftToTriggers } from './left-to-triggers.js';
import { OutdatedSchema } from './outdated-schema.js';
import { planWrite, type WritePlan } from './plan-write.js';
import { type PostgresTable, SCOPE_EXPRESSION } from './postgres-catalogue.js';
import type { PostgresSchema } from './postgres-schema.js';
import { clockOf, readChanges, readOwnRows } from './read-changes.js';
import { carriesBeyond, isToldByTrigger, recorderOf, toldInPart } from './recorders.js';
import { EngineColumn } from './rewrite-write.js';
import { hasLongValues, type ImageLimits } from './row-image.js';
import { isTooManyRows } from './row-limit.js';
import { settleCascades } from './settle-cascades.js';
import { stateExpression, stateOf } from './table-state.js';
import type { NamedTable } from './write-shape.js';

// What the database says where it does not find, know or support what it was asked for: what was known is out of date.
const OUTDATED = /\b(?:42|0A|2B|3D|3F|XX)[0-9A-Z]{3}\b|ColumnNotFound|TableDoesNotExist/;
const ABORTED = /\b25P02\b/;
const NOTHING: Readiness = { inexact: [] };
const NO_CHANGES: StatementChanges = { rows: [], inexact: [] };
const TRIES = 3;
const SAVEPOINT = 'indelible_statement';

type Ask = (sql: string) => Promise<EngineRows>;

/** Follows one transaction on PostgreSQL. Every write is one statement, which answers with the rows that it touched. */
export class PostgresSession implements CaptureSession {
  #plan: WritePlan | undefined;
  /** The rows that the TRUNCATE which runs next will take. */
  #truncated: readonly RowChange[] = [];
  #scope: string | undefined;
  /** A savepoint of ours stands right before the statement. */
  #isGuarded = false;
  /** By oid, what of a table's rows the statement leaves on the server. */
  readonly #images = new Map<string, ImageLimits | undefined>();
  /** The connection has left the scope in which it began. */
  #hasMoved = false;
  readonly #left: LeftToTriggers;

  constructor(
    private readonly connection: CaptureConnection,
    private readonly options: SessionOptions,
    private readonly schema: PostgresSchema,
  ) {
    this.#left = new LeftToTriggers(connection);
  }

  async before(_: Statement, sql: string, ask: Ask, inputLength?: number): Promise<Readiness> {
    this.abandon();
    const reasons = [
      ...this.schema.writingCalls(sql).map((name) => `the function ${name}, which may write rows`),
      ...this.schema.unsafeSettings.map((setting) => `the setting ${setting}`),
    ];
    const found = reasons.map((reason): Inexact => ({ table: null, fidelity: 'opaque', reason }));
    const { inexact, rewritten } = await this.#lookAgain(sql, ask, inputLength);
    const isLimited = this.#plan?.limit !== undefined && found.length + inexact.length === 0;
    if (isLimited && this.options.strict && !(await this.#guard())) return NOTHING;
    return rewritten === undefined
      ? { inexact: [...found, ...inexact] }
      : { inexact: [...found, ...inexact], rewritten };
  }

  /** What is known of the schema may be out of date, which shows on the way. */
  async #lookAgain(sql: string, ask: Ask, inputLength: number | undefined): Promise<Readiness> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#look(sql, ask, inputLength);
      } catch (error) {
        // The transaction has failed before: so will the statement.
        if (ABORTED.test(errorText(error))) return NOTHING;
        if (!(error instanceof OutdatedSchema) || error.isChanged) this.schema.forget();
        if (!(error instanceof OutdatedSchema) || tries === TRIES) throw error;
      }
    }
  }

  async #look(sql: string, ask: Ask, inputLength: number | undefined): Promise<Readiness> {
    this.#images.clear();
    const shape = this.schema.shapeOf(sql);
    if (shape.verb === 'query') return NOTHING;
    if (shape.verb === 'unreadable') return { inexact: await this.#unreadable(shape.reason, shape.tables) };
    if (shape.verb === 'truncate') {
      const { changes, inexact } = await imageTruncation(
        this.#view,
        shape,
        this.options.ignores,
        (told, tables) => this.#check(told, tables),
      );
      this.#truncated = changes;
      return { inexact };
    }
    const table = await this.#view.find(shape.target);
    // Without such a table the database refuses the statement itself.
    if (table === undefined || this.options.ignores(table.name)) return NOTHING;
    const recorder = recorderOf(table, eventsOf(shape));
    if (recorder === 'mixed') return this.#unseen([toldInPart(table)], table);
    if (recorder === 'triggers' && !(await carriesBeyond(this.#view, shape, table))) {
      await this.#left.leave(shape, table, (told) => this.#check(told, [table]));
      return { inexact: findUntold(shape, table) };
    }
    if (mayBringLarge(sql, shape, inputLength)) this.#images.set(table.oid, this.#imageLimits(table));
    const plan = await planWrite({
      view: this.#view,
      sql,
      write: shape,
      table,
      version: await this.schema.version(this.connection),
      ask,
      check: (told, tables) => this.#check(told, tables),
    });
    const { inexact, rewritten } = plan;
    if (rewritten === undefined) return this.#unseen(inexact, table);
    this.#plan = plan;
    return { inexact, rewritten };
  }

  /** It runs as it was written, and nothing will tell later whether that had to be. */
  async #unseen(inexact: readonly Inexact[], table: PostgresTable): Promise<Readiness> {
    const [row] = await this.connection.query(
      `SELECT ${stateExpression([table])} AS state, ${SCOPE_EXPRESSION} AS scope`,
    );
    this.#check({ state: row?.[0], scope: row?.[1] }, [table]);
    return { inexact };
  }

  /**
   * The statement fails where it touches too many rows, which would abort its transaction.
   * @returns false where that has failed before
   */
  async #guard(): Promise<boolean> {
    try {
      await this.connection.execute(`SAVEPOINT ${SAVEPOINT}`);
      this.#isGuarded = true;
      return true;
    } catch (error) {
      this.abandon();
      if (ABORTED.test(errorText(error))) return false;
      throw error;
    }
  }

  async after(rows: EngineRows): Promise<StatementChanges> {
    const truncated = this.#truncated;
    this.#truncated = [];
    if (truncated.length > 0) return { rows: truncated, inexact: [] };
    const plan = this.#plan;
    this.#plan = undefined;
    if (this.#isGuarded) await this.connection.execute(`RELEASE SAVEPOINT ${SAVEPOINT}`);
    this.#isGuarded = false;
    const [first] = rows;
    if (plan === undefined) return { rows: [], inexact: await this.#settleLeft() };
    if (first === undefined) return NO_CHANGES;
    const { write, cascades, rewritten } = plan;
    const table = await this.#tableNow(plan, first);
    const late = table === plan.table ? [] : findLateLimits(plan, table);
    const count = rewritten?.count === undefined ? rows.length : Number(first[rewritten.count]);
    if (count > this.options.maxRows) {
      const counted = countedOnly(plan, table, count, this.options);
      return { rows: [], inexact: [...late, ...counted] };
    }
    const isCut = this.#images.get(table.oid) !== undefined;
    if (!this.schema.isWide(table) && hasLarge(rows, table, isCut)) this.schema.noteWide(table);
    const unread = findUnread(plan, table, rows);
    if (cascades === undefined) {
      const told = readChanges(write, table, rows).filter((change) => !isToldByTrigger(change));
      return { rows: orderChanges(told), inexact: [...late, ...unread] };
    }
    const own = readOwnRows(write, table, rows);
    const settled = await settleCascades(this.#view, cascades, table, own, clockOf(rows.at(-1)));
    const told = settled.rows.filter(
      (change) => !this.options.ignores(change.table.name) && !isToldByTrigger(change),
    );
    return { rows: orderChanges(told), inexact: [...late, ...unread, ...settled.inexact] };
  }

  async refused(error: unknown): Promise<Inexact | undefined> {
    const plan = this.#plan;
    if (plan === undefined || !this.#isGuarded || !isTooManyRows(errorText(error))) return undefined;
    this.abandon();
    await this.connection.execute(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    await this.connection.execute(`RELEASE SAVEPOINT ${SAVEPOINT}`);
    return { table: plan.table.name, fidelity: 'count-only', reason: tooMany(this.options) };
  }

  abandon(error?: unknown): void {
    this.#plan = undefined;
    this.#isGuarded = false;
    this.#truncated = [];
    this.#left.abandon();
    if (error !== undefined && OUTDATED.test(errorText(error))) this.#forgetSchema();
  }

  async beforeSchemaChange(): Promise<void> {
    this.#forgetSchema();
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
  savepointRolledBack(): void {
    if (this.#hasMoved) this.#scope = undefined;
    this.#left.forget();
  }

  async tell(text: string): Promise<void> {
    const sql = `SELECT pg_catalog.set_config('indelible.context', $1, true)`;
    if (this.connection.ahead === undefined) await this.connection.query(sql, [text]);
    // Where it fails, so does the statement that it goes with.
    else this.connection.ahead(sql, [text]).catch(() => undefined);
  }

  namesMoved(): void {
    this.#hasMoved = true;
    this.#scope = undefined;
  }

  renew(): void {
    this.abandon();
    this.#left.forget();
    this.#hasMoved = false;
    this.#scope = undefined;
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

  #settleLeft(): Promise<readonly Inexact[]> {
    return this.#left.settle(
      (scope) => this.#noteScope(scope),
      () => {
        this.schema.forget();
        return this.#view;
      },
    );
  }

  get #view(): SchemaView {
    const { connection, schema } = this;
    return {
      connection,
      maxRows: this.options.maxRows,
      strict: this.options.strict,
      ignores: this.options.ignores,
      imagesOf: (table) => this.#imagesOf(table),
      find: async (name) => schema.find(connection, name, await this.#scopeNow()),
      byOid: async (oid) => schema.byOid(connection, oid, await this.#scopeNow()),
    };
  }

  /** The same for a table from the beginning of a statement to its end: its images are compared. */
  #imagesOf(table: PostgresTable): ImageLimits | undefined {
    if (!this.#images.has(table.oid)) {
      this.#images.set(table.oid, this.schema.isWide(table) ? this.#imageLimits(table) : undefined);
    }
    return this.#images.get(table.oid);
  }

  #imageLimits(table: PostgresTable): ImageLimits | undefined {
    return hasLongValues(table) ? this.schema.imageLimits(this.options.limits()) : undefined;
  }

  async #scopeNow(): Promise<string> {
    this.#scope ??= await (this.#hasMoved
      ? this.schema.readScope(this.connection)
      : this.schema.guessScope(this.connection));
    return this.#scope;
  }

  #forgetSchema(): void {
    this.schema.forget();
    this.#scope = undefined;
  }

  /** @returns false where it is another scope than was thought */
  #noteScope(scope: unknown): boolean {
    const told = String(scope);
    const isSame = told === this.#scope;
    this.#scope = told;
    if (!this.#hasMoved) this.schema.noteScope(told);
    return isSame;
  }

  /** @throws OutdatedSchema */
  #check(
    { state, scope }: { readonly state: unknown; readonly scope: unknown },
    tables: readonly PostgresTable[],
  ): void {
    const isSame = this.#noteScope(scope);
    if (state !== stateOf(tables)) throw new OutdatedSchema(true);
    if (!isSame) throw new OutdatedSchema(false);
  }

  /** The table as it is now: what the statement answered tells whether it is still the one that was known. */
  async #tableNow({ write, table }: WritePlan, row: readonly unknown[]): Promise<PostgresTable> {
    const isSame = this.#noteScope(row[EngineColumn.scope]);
    const isKnown = row[EngineColumn.state] === stateOf([table]);
    if (isSame && isKnown) return table;
    if (!isKnown) this.schema.forget();
    return (await this.#view.find(write.target)) ?? table;
  }

  async #unreadable(reason: string, named: readonly NamedTable[]): Promise<readonly Inexact[]> {
    if (named.length === 0) return [{ table: null, fidelity: 'opaque', reason }];
    const inexact: Inexact[] = [];
    for (const name of named) {
      const table = await this.#view.find(name);
      if (table === undefined || this.options.ignores(table.name)) continue;
      inexact.push({ table: table.name, fidelity: 'opaque', reason });
    }
    return inexact;
  }
}
