import {
  type CaptureConnection,
  type CaptureSession,
  type EngineRows,
  type Inexact,
  OutdatedCapture,
  type Readiness,
  type RowChange,
  type SessionOptions,
  type StatementChanges,
} from '../dialect.js';
import { errorText } from '../error-text.js';
import type { Statement } from '../statement.js';
import type { SchemaView } from './cascades.js';
import { HeldTables } from './held-tables.js';
import { imageTruncation } from './image-truncation.js';
import { LeftToTriggers } from './left-to-triggers.js';
import { OutdatedSchema } from './outdated-schema.js';
import type { WritePlan } from './plan-write.js';
import type { PostgresTable } from './postgres-catalogue.js';
import type { PostgresSchema } from './postgres-schema.js';
import { type Answered, readAnswer } from './read-answer.js';
import { EngineColumn } from './rewrite-write.js';
import { isWhole } from './row-image.js';
import { findUnseen, inOneMark, markUnreadable, NO_TEXT, whyItFailed } from './session-marks.js';
import { SessionScope } from './session-scope.js';
import { behindGuard, guardedConnection, StatementGuard } from './statement-guard.js';
import { StatementImages } from './statement-images.js';
import { plansOf, type StatementPlan } from './statement-plan.js';
import { StatementPlanner } from './statement-planner.js';
import { isAtHome, stateOf } from './table-state.js';

// What the database says where it does not find, know or support what it was asked for: what was known is out of date.
const OUTDATED = /\b(?:42|0A|2B|3D|3F|XX)[0-9A-Z]{3}\b|ColumnNotFound|TableDoesNotExist/;
const ABORTED = /\b25P02\b/;
const NOTHING: Readiness = { inexact: [] };
const NO_CHANGES: StatementChanges = { rows: [], inexact: [] };
const TRIES = 3;
const yes = (): boolean => true;
const no = (): boolean => false;

type Ask = (sql: string) => Promise<EngineRows>;

/** Follows one transaction on PostgreSQL. Every write is one statement, which answers with the rows that it touched. */
export class PostgresSession implements CaptureSession {
  #plan: StatementPlan | undefined;
  /** The rows that the TRUNCATE which runs next will take. */
  #truncated: readonly RowChange[] = [];
  readonly #scope: SessionScope;
  /** Right before the statement, where the form that it was given may fail by itself. */
  readonly #guard: StatementGuard;
  /** Right before what is asked for beside the statement. */
  readonly #asking: StatementGuard;
  readonly #connection: CaptureConnection;
  readonly #images: StatementImages;
  readonly #left: LeftToTriggers;
  readonly #planner: StatementPlanner;
  readonly #held = new HeldTables();
  /** Neither the text of the statement nor a setting hides anything. */
  #isSeen = true;

  /** @param mayRunAgain the transaction is of one statement, and is undone and run again where that was not seen */
  constructor(
    private readonly caller: CaptureConnection,
    private readonly options: SessionOptions,
    private readonly schema: PostgresSchema,
    private readonly mayRunAgain: boolean,
  ) {
    schema.recorders.writeTo(options.storeSchema());
    this.#scope = new SessionScope(schema);
    this.#images = new StatementImages(schema, options);
    this.#guard = new StatementGuard(caller, 'indelible_statement');
    this.#asking = new StatementGuard(caller, 'indelible_asking');
    this.#connection = guardedConnection(caller, this.#asking, () => this.#guardsAsking);
    this.#left = new LeftToTriggers(caller);
    this.#planner = new StatementPlanner({
      schema,
      options,
      images: this.#images,
      left: this.#left,
      view: () => this.#view,
      check: (told, tables) => this.#check(told, tables),
      mayRunAgain,
    });
  }

  /** What only auditing asks for must not take the caller's transaction with it, unless its policy is to be strict. */
  get #guardsAsking(): boolean {
    return !this.options.mustJoin() || this.schema.encoding === 'unsure';
  }

  async before(_: Statement, sql: string, ask: Ask, inputLength?: number): Promise<Readiness> {
    this.abandon();
    const asks: Ask = async (text) => {
      if (this.#guardsAsking) await this.#asking.set();
      return ask(text);
    };
    return behindGuard(
      this.#asking,
      () => this.#ready(sql, asks, inputLength),
      () => ({ inexact: [NO_TEXT] }),
    );
  }

  async #ready(sql: string, ask: Ask, inputLength: number | undefined): Promise<Readiness> {
    const found = findUnseen(this.schema, sql);
    this.#isSeen = found.length === 0;
    const { inexact, rewritten } = await this.#lookAgain(sql, ask, inputLength);
    const all = inOneMark([...found, ...inexact]);
    if (rewritten === undefined) return { inexact: all };
    const plans = plansOf(this.#plan);
    const isLimited =
      plans.some(({ limit }) => limit !== undefined) && all.length === 0 && this.options.strict;
    const mayFail = isLimited || plans.some(({ pitfalls }) => pitfalls.length > 0);
    return mayFail && !(await this.#setGuard()) ? NOTHING : { inexact: all, rewritten };
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
    if (shape.verb === 'unreadable') return { inexact: await markUnreadable(this.#view, shape) };
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
    const plan = await this.#planner.plan(sql, shape, { inputLength, isSeen: this.#isSeen }, ask);
    if (plan === undefined) return NOTHING;
    if (plan.left !== undefined) return plan.left;
    if (plan.rewritten === undefined) return { inexact: plan.inexact };
    // A transaction of the caller's must not fail for a name that only the form of its statement has.
    if (!this.mayRunAgain)
      await this.#held.hold(this.#view, plan.steps.flat(), (...told) => this.#check(...told));
    this.#plan = plan;
    return { inexact: plan.inexact, rewritten: plan.rewritten };
  }

  /**
   * The statement may fail in its new form, which would abort its transaction.
   * @returns false where that has failed before
   */
  async #setGuard(): Promise<boolean> {
    try {
      await this.#asking.release();
      await this.#guard.set();
      return true;
    } catch (error) {
      this.abandon();
      if (ABORTED.test(errorText(error))) return false;
      throw error;
    }
  }

  async after(rows: EngineRows): Promise<StatementChanges> {
    return behindGuard(
      this.#asking,
      () => this.#changes(rows),
      () => ({ rows: [], inexact: [NO_TEXT] }),
    );
  }

  async #changes(rows: EngineRows): Promise<StatementChanges> {
    const truncated = this.#truncated;
    this.#truncated = [];
    if (truncated.length > 0) return { rows: truncated, inexact: [] };
    const plan = this.#plan;
    this.#plan = undefined;
    await this.#guard.release();
    if (plan === undefined) return { rows: [], inexact: await this.#settleLeft() };
    if (rows.length === 0) return NO_CHANGES;
    const all: StatementChanges[] = [];
    for (const writes of plan.steps) {
      const answers: Answered[] = [];
      for (const { plan: write, rowsOf } of writes) {
        const own = rowsOf === undefined ? rows : rowsOf(rows);
        if (own.length > 0) answers.push(await this.#answered(write, own));
      }
      all.push(await readAnswer(answers));
    }
    return { rows: all.flatMap((one) => one.rows), inexact: all.flatMap((one) => one.inexact) };
  }

  async #answered(plan: WritePlan, rows: EngineRows): Promise<Answered> {
    const table = await this.#tableNow(plan, rows);
    return {
      plan,
      table,
      rows,
      view: this.#view,
      schema: this.schema,
      options: this.options,
      isCut: this.#images.of(table) !== undefined,
      mayRunAgain: this.mayRunAgain,
    };
  }

  async failedForUs(error: unknown): Promise<Inexact | undefined> {
    const plan = this.#plan;
    if (plan === undefined) return undefined;
    const text = errorText(error);
    // Columns that it names, and not the caller's text, may be gone.
    const plans = plansOf(plan);
    const names = plans.some(({ table }) => !isWhole(table) || this.#images.of(table) !== undefined);
    if (names && this.mayRunAgain && OUTDATED.test(text)) {
      this.abandon(error);
      throw new OutdatedCapture();
    }
    const why = this.#guard.isSet ? whyItFailed(plans, text, this.options) : undefined;
    if (why === undefined) return undefined;
    await this.#guard.undo();
    this.abandon();
    return why;
  }

  abandon(error?: unknown): void {
    this.#plan = undefined;
    this.#guard.drop();
    this.#asking.drop();
    this.#truncated = [];
    this.#left.abandon();
    if (error !== undefined && OUTDATED.test(errorText(error))) this.#forgetSchema();
  }

  async beforeSchemaChange(): Promise<void> {
    this.#held.forget();
    this.#forgetSchema();
  }

  async wasRolledBack(): Promise<boolean> {
    return this.caller.query('SELECT 1').then(no, yes);
  }

  savepointRolledBack(): void {
    this.#scope.returns();
    this.#left.forget();
    this.#held.forget();
  }

  async tell(text: string): Promise<void> {
    const sql = `SELECT pg_catalog.set_config('indelible.context', $1, true)`;
    if (this.caller.tell === undefined) await this.caller.query(sql, [text]);
    // Where it fails, so does the statement that it goes with.
    else this.caller.tell(sql, [text]).catch(() => undefined);
  }

  namesMoved(): void {
    this.#scope.moves();
  }

  renew(): void {
    this.abandon();
    this.#left.forget();
    this.#held.forget();
    this.#scope.renew();
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

  /** @throws OutdatedCapture where the statement has to run again */
  async #settleLeft(): Promise<readonly Inexact[]> {
    const anew = (): SchemaView => {
      this.schema.forget();
      return this.#view;
    };
    const outcome = await this.#left.settle((scope) => this.#scope.note(scope), anew);
    if (outcome === 'told') return [];
    if (outcome.kind === 'silent') this.schema.recorders.noteUnproven(outcome.table);
    this.schema.forget();
    if (this.mayRunAgain) throw new OutdatedCapture();
    return [outcome.inexact];
  }

  get #view(): SchemaView {
    const { schema } = this;
    const { maxRows, strict, ignores } = this.options;
    const connection = this.#connection;
    return {
      connection,
      maxRows,
      strict,
      ignores,
      imagesOf: (table) => this.#images.of(table),
      find: async (name) => schema.find(connection, name, await this.#scope.now(connection)),
      byOid: async (oid) => schema.byOid(connection, oid, await this.#scope.now(connection)),
    };
  }

  #forgetSchema(): void {
    this.schema.forget();
    this.#scope.forget();
  }

  /** @throws OutdatedSchema */
  #check(
    { state, scope }: { readonly state: unknown; readonly scope: unknown },
    tables: readonly PostgresTable[],
  ): void {
    const isSame = this.#scope.note(scope);
    if (state !== stateOf(tables)) throw new OutdatedSchema(true);
    if (!isSame) throw new OutdatedSchema(false);
  }

  /** The table as it is now: what the statement answered tells whether it is still the one that was known. */
  async #tableNow({ write, table, states = [table] }: WritePlan, rows: EngineRows): Promise<PostgresTable> {
    const [first = []] = rows;
    const isSame = this.#scope.note(first[EngineColumn.scope]);
    const isKnown =
      first[EngineColumn.state] === stateOf(states) &&
      rows.every((row) => isAtHome(row[EngineColumn.home], table));
    if (isSame && isKnown) return table;
    if (!isKnown) this.schema.forget();
    return (await this.#view.find(write.target)) ?? table;
  }
}
