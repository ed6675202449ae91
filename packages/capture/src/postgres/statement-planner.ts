import type { EngineRows, Inexact, SessionOptions } from '../dialect.js';
import type { SchemaView } from './cascades.js';
import { eventsOf, findUntold } from './find-write-limits.js';
import { mayBringLarge } from './large-input.js';
import type { LeftToTriggers } from './left-to-triggers.js';
import { canStandWithOthers, planSeveral } from './plan-several.js';
import { mayWriteThrough } from './plan-view.js';
import { planWith, writesOf } from './plan-with.js';
import { type PlanRequest, planWrite } from './plan-write.js';
import { type PostgresTable, SCOPE_EXPRESSION } from './postgres-catalogue.js';
import type { PostgresSchema } from './postgres-schema.js';
import { isScratch, reachedWithin, recorderOf, toldInPart } from './recorders.js';
import type { StatementImages } from './statement-images.js';
import { plansOf, type StatementPlan } from './statement-plan.js';
import { stateExpression } from './table-state.js';
import { isRowWrite, type RowWrite, type Several, type Span, type WritingWith } from './write-shape.js';

type Ask = (sql: string) => Promise<EngineRows>;

/** What is known of a statement before it is taken apart. */
export interface Seen {
  /** Of its parameters, in characters or bytes. */
  readonly inputLength: number | undefined;
  /** Neither its text nor a setting hides anything. */
  readonly isSeen: boolean;
}

export interface PlannerParts {
  readonly schema: PostgresSchema;
  readonly options: SessionOptions;
  readonly images: StatementImages;
  readonly left: LeftToTriggers;
  readonly view: () => SchemaView;
  readonly check: PlanRequest['check'];
  /** The transaction is of one statement, and is undone and run again where that was not seen. */
  readonly mayRunAgain: boolean;
}

/** Finds out how what a statement, or a string of them, writes can be captured. */
export class StatementPlanner {
  constructor(private readonly parts: PlannerParts) {}

  /** @returns undefined where the statement writes nothing that is recorded */
  async plan(
    sql: string,
    shape: RowWrite | WritingWith | Several,
    seen: Seen,
    ask: Ask,
  ): Promise<StatementPlan | undefined> {
    return shape.verb === 'several'
      ? this.#planSeveral(sql, shape.statements, seen)
      : this.#planOf(sql, shape, seen, ask);
  }

  /**
   * @param ask undefined for one of several statements in one string: nothing can be asked for right before it
   * @returns undefined where the statement writes nothing that is recorded
   */
  async #planOf(
    sql: string,
    shape: RowWrite | WritingWith,
    seen: Seen,
    ask?: Ask,
  ): Promise<StatementPlan | undefined> {
    const { inputLength } = seen;
    if (shape.verb === 'with') return this.#planWith(sql, shape, inputLength, ask);
    const table = await this.parts.view().find(shape.target);
    // Without such a table the database refuses the statement itself.
    if (table === undefined) return undefined;
    if (this.#isLeftAlone(table)) return undefined;
    const recorder = recorderOf(table, eventsOf(shape));
    if (recorder === 'mixed') return this.#unseen([toldInPart(table)], table);
    const within = recorder === 'triggers' && (await reachedWithin(this.parts.view(), shape, table));
    if (within) {
      if (ask === undefined) return this.#unseen(findUntold(shape, table), ...within);
      const left = this.parts.left.leave(sql, shape, within, this.parts.mayRunAgain, seen.isSeen);
      return { steps: [], inexact: left.inexact, left };
    }
    if (mayBringLarge(sql, shape, inputLength)) this.parts.images.limit(table);
    const plan = await planWrite({
      view: this.parts.view(),
      sql,
      write: shape,
      table,
      version: await this.parts.schema.version(this.parts.view().connection),
      ask,
      check: this.parts.check,
    });
    const { inexact, rewritten } = plan;
    if (rewritten === undefined) {
      const isLeft = this.parts.options.ignores(table.name);
      return this.#unseen(isLeft ? [] : inexact, table);
    }
    return { steps: [[{ plan }]], inexact, rewritten };
  }

  async #planSeveral(sql: string, statements: readonly Span[], seen: Seen): Promise<StatementPlan> {
    const opaque = { table: null, fidelity: 'opaque', reason: 'several statements in one string' } as const;
    const plans: (StatementPlan | undefined)[] = [];
    for (const { start, end } of statements) {
      const text = sql.slice(start, end);
      const shape = this.parts.schema.shapeOf(text);
      if (!canStandWithOthers(text, shape)) return { steps: [], inexact: [opaque] };
      const isWrite = shape.verb === 'with' || isRowWrite(shape);
      plans.push(isWrite ? await this.#planOf(text, shape, seen) : undefined);
    }
    const plan = planSeveral(sql, statements, plans);
    // Whether two rows have stood under one key can not be asked between them.
    const isLate = plansOf(plan).some(({ table }) => table.isKeyLate);
    return isLate ? { steps: [], inexact: [opaque] } : plan;
  }

  /** The writes inside of WITH, and what stands behind them. */
  async #planWith(
    sql: string,
    shape: WritingWith,
    inputLength: number | undefined,
    ask: Ask | undefined,
  ): Promise<StatementPlan | undefined> {
    const tables = new Map<RowWrite, PostgresTable>();
    const inexact: Inexact[] = [];
    const unseen: PostgresTable[] = [];
    for (const write of writesOf(shape)) {
      const table = await this.parts.view().find(write.target);
      if (table === undefined || this.#isLeftAlone(table)) continue;
      const recorder = recorderOf(table, eventsOf(write));
      if (recorder === 'mixed') inexact.push(toldInPart(table));
      const within = recorder === 'triggers' && (await reachedWithin(this.parts.view(), write, table));
      if (within) inexact.push(...findUntold(write, table));
      if (recorder === 'mixed' || within) {
        unseen.push(...(within || [table]));
        continue;
      }
      if (mayBringLarge(sql, write, inputLength)) this.parts.images.limit(table);
      tables.set(write, table);
    }
    const version = await this.parts.schema.version(this.parts.view().connection);
    const plan = await planWith({
      view: this.parts.view(),
      sql,
      shape,
      tables,
      version,
      ask,
      check: this.parts.check,
    });
    const shown = new Set(plansOf(plan).map(({ table }) => table));
    unseen.push(...[...tables.values()].filter((table) => !shown.has(table)));
    if (unseen.length > 0) await this.#unseen([], ...unseen);
    if (tables.size === 0 && inexact.length === 0) return undefined;
    return { ...plan, inexact: [...inexact, ...plan.inexact] };
  }

  #isLeftAlone(table: PostgresTable): boolean {
    // What is written through a view is the rows of another table.
    return (!mayWriteThrough(table) && this.parts.options.ignores(table.name)) || isScratch(table);
  }

  /** It runs as it was written, and nothing will tell later whether that had to be. */
  async #unseen(inexact: readonly Inexact[], ...tables: readonly PostgresTable[]): Promise<StatementPlan> {
    const [row] = await this.parts
      .view()
      .connection.query(`SELECT ${stateExpression(tables)} AS state, ${SCOPE_EXPRESSION} AS scope`);
    this.parts.check({ state: row?.[0], scope: row?.[1] }, tables);
    return { steps: [], inexact };
  }
}
