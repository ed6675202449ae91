import { orderChanges } from '../change-order.js';
import {
  type CaptureConnection,
  type CaptureSession,
  type Inexact,
  OutdatedCapture,
  type Readiness,
  type RowChange,
  type SessionOptions,
  type StatementChanges,
} from '../dialect.js';
import { errorText } from '../error-text.js';
import type { Statement } from '../statement.js';
import {
  type Capture,
  CLEAR_CAPTURE_TABLE,
  COUNT_CAPTURES,
  CREATE_CAPTURE_TABLE,
  createTrigger,
  readCapture,
  selectCaptures,
  selectPresent,
  triggerName,
  withoutFloor,
} from './capture-triggers.js';
import { readConnectionState } from './connection-state.js';
import { findInexact } from './find-inexact.js';
import { foldCaptures, settleLineages } from './row-lineage.js';
import type { SqliteCatalogue } from './sqlite-catalogue.js';
import type { SqliteCatalogueCache } from './sqlite-catalogue-cache.js';
import { quoteName, SqliteImage } from './stored-value.js';
import type { WritePlan } from './write-plan.js';

const SCHEMA_VERSION = 'PRAGMA main.schema_version';
const LAST_CAPTURE = 'SELECT max(seq) FROM temp.indelible_capture';
/** Rows that the capture table may keep from transaction to transaction before it is emptied. */
const MAX_KEPT = 5_000;
// Takes the write lock and touches no row. A deferred transaction that reads first can fail with SQLITE_BUSY_SNAPSHOT
// where the application's own statement would not have.
const TAKE_WRITE_LOCK = 'UPDATE main.audit_pending SET id = id WHERE 0';

const NOTHING: StatementChanges = { rows: [], inexact: [] };

/** Follows the transactions of one SQLite connection, one after the other, with temporary triggers. */
export class SqliteSession implements CaptureSession {
  #installed = new Set<string>();
  /** What is known of the connection's triggers holds. */
  #probed = false;
  /** A transaction has begun since the schema's version was read: it is read once more with what the statement did. */
  #renewed = false;
  /** A statement may have left notes that nobody wants. */
  #skipped = false;
  /** No trigger of ours is on the connection. */
  #isClean = false;
  #hasCaptureTable = false;
  #last = 0;
  #floor: string | null = null;
  #plan: WritePlan | undefined;
  #catalogue: SqliteCatalogue | undefined;
  #attached: readonly string[] = [];

  constructor(
    private readonly connection: CaptureConnection,
    private readonly options: SessionOptions,
    private readonly catalogues: SqliteCatalogueCache,
    private readonly begun: boolean,
  ) {}

  floorId(): string | null {
    return this.#floor;
  }

  async before(statement: Statement): Promise<Readiness> {
    return { inexact: await this.#watch(statement) };
  }

  async #watch(statement: Statement): Promise<readonly Inexact[]> {
    if (this.#probed) await this.#tidy();
    else await this.#probe();
    const plan = this.#makePlan(statement);
    if (plan.watched.size === 0 && plan.unwatchable.length === 0) {
      // The schema may have changed inside this transaction, or the statement writes a table of another database.
      await this.#probe();
    } else if (!this.#isInstalled(plan)) {
      await this.#look();
    }
    const inexact = await this.#makeReady(statement);
    if (inexact.length === 0 || !this.#renewed) return inexact;
    // Nothing is refused because of what was true once.
    await this.#look();
    return this.#makeReady(statement);
  }

  async after(): Promise<StatementChanges> {
    const plan = this.#plan;
    this.#plan = undefined;
    if (plan === undefined || this.#catalogue === undefined || !this.#hasCaptureTable) return NOTHING;
    // What a failed statement has undone it has undone here too: all that is noted has happened.
    const all = await this.#read(plan);
    const last = all.at(-1);
    if (last === undefined) return NOTHING;
    // A trigger that was made for REPLACE stays, and notes for other statements what they do not delete.
    const captures = plan.replaces ? all : all.filter(({ event }) => event !== 'replace');
    if (all.length > this.options.maxRows) return await this.#countOnly();
    const rows = await this.#changes(plan, this.#catalogue, captures);
    this.#last = last.seq;
    return { rows, inexact: [] };
  }

  abandon(): void {
    this.#plan = undefined;
    // Its notes may stay behind.
    this.#skipped = true;
  }

  async beforeSchemaChange(): Promise<void> {
    // A trigger of ours would make ALTER TABLE … DROP COLUMN fail.
    await this.skip();
  }

  async skip(): Promise<void> {
    if (this.#isClean) return;
    const names = await this.connection.query(
      "SELECT name FROM temp.sqlite_schema WHERE type = 'trigger' AND name GLOB 'indelible[_]*'",
    );
    for (const [name] of names) await this.connection.execute(`DROP TRIGGER temp.${quoteName(String(name))}`);
    this.forget();
    this.#isClean = true;
  }

  async wasRolledBack(): Promise<boolean> {
    // SQLite has no function that tells; BEGIN fails inside of a transaction and changes nothing.
    try {
      await this.connection.execute('BEGIN');
      await this.connection.execute('ROLLBACK');
    } catch (error) {
      if (/within a transaction/i.test(errorText(error))) return false;
    }
    this.forget();
    return true;
  }

  savepointRolledBack(): void {
    // What was noted and installed since the savepoint is gone, so everything is looked at anew.
    this.forget();
  }

  renew(): void {
    this.#renewed = true;
  }

  forget(): void {
    this.#probed = false;
    this.#hasCaptureTable = false;
    this.#installed.clear();
    this.#isClean = false;
    this.#last = 0;
  }

  async #probe(): Promise<void> {
    if (!this.begun) await this.#takeWriteLock();
    const { ours, attached } = await readConnectionState(this.connection);
    const version = await this.#schemaVersion();
    this.#catalogue = await this.catalogues.get(this.connection, version);
    this.#installed = ours;
    this.#hasCaptureTable = this.#installed.delete('indelible_capture');
    this.#attached = attached;
    await this.#clear();
    await this.#dropOutdated(version);
    this.#renewed = false;
    this.#skipped = false;
    this.#probed = true;
  }

  async #takeWriteLock(): Promise<void> {
    try {
      await this.connection.execute(TAKE_WRITE_LOCK);
    } catch (error) {
      if (this.options.mustJoin() || !isMissing(error)) throw error;
    }
  }

  async #makeReady(statement: Statement): Promise<readonly Inexact[]> {
    const plan = this.#makePlan(statement);
    this.#plan = plan;
    await this.#install(plan);
    return findInexact(this.connection, statement, plan, {
      catalogue: this.#catalogue,
      attached: this.#attached,
      ignores: this.options.ignores,
    });
  }

  async #tidy(): Promise<void> {
    if (this.#skipped && this.#hasCaptureTable) this.#last = await this.#lastCapture();
    if (this.#renewed && this.#last > MAX_KEPT) await this.#clear();
    this.#skipped = false;
  }

  /** Looks whether others have changed the schema. */
  async #look(): Promise<void> {
    if (!this.#renewed) return;
    if ((await this.#schemaVersion()) !== this.#catalogue?.version) await this.#probe();
    this.#renewed = false;
  }

  /** What the triggers have seen is all that happened only if they were made for the schema as it is. */
  async #requireCurrent(version?: number): Promise<void> {
    if (!this.#renewed) return;
    if ((version ?? (await this.#schemaVersion())) !== this.#catalogue?.version) throw new OutdatedCapture();
    this.#renewed = false;
  }

  /** changes() keeps its answer: the application's own statement follows and sets it. */
  async #clear(): Promise<void> {
    if (!this.#hasCaptureTable) return;
    await this.connection.execute(CLEAR_CAPTURE_TABLE);
    // AUTOINCREMENT goes on where it was: a number that comes again would be taken for one that is known.
    this.#last = 0;
  }

  async #schemaVersion(): Promise<number> {
    return Number((await this.connection.query(SCHEMA_VERSION))[0]?.[0]);
  }

  async #lastCapture(): Promise<number> {
    return Number((await this.connection.query(LAST_CAPTURE))[0]?.[0] ?? 0);
  }

  async #dropOutdated(version: number): Promise<void> {
    for (const name of this.#installed) {
      if (name.startsWith(`indelible_${version}_`)) continue;
      await this.connection.execute(`DROP TRIGGER IF EXISTS temp.${quoteName(name)}`);
      this.#installed.delete(name);
    }
  }

  #makePlan(statement: Statement): WritePlan {
    if (this.#catalogue === undefined) throw new Error('a session is probed before it plans');
    return this.catalogues.plan(this.#catalogue, statement, this.options.ignores);
  }

  #isInstalled(plan: WritePlan): boolean {
    const version = this.#catalogue?.version ?? 0;
    for (const [table, events] of plan.watched) {
      for (const event of events) if (!this.#installed.has(triggerName(version, table, event))) return false;
    }
    return true;
  }

  async #install(plan: WritePlan): Promise<void> {
    const version = this.#catalogue?.version ?? 0;
    if (plan.watched.size > 0 && !this.#hasCaptureTable) {
      await this.connection.execute(CREATE_CAPTURE_TABLE);
      this.#hasCaptureTable = true;
    }
    for (const [table, events] of plan.watched) {
      for (const event of events) {
        this.#isClean = false;
        const name = triggerName(version, table, event);
        if (this.#installed.has(name)) continue;
        await this.connection.execute(createTrigger(version, table, event));
        this.#installed.add(name);
      }
    }
  }

  async #read(plan: WritePlan): Promise<readonly Capture[]> {
    const captures = (await this.#select(plan)).map(readCapture);
    await this.#requireCurrent(captures[0]?.schemaVersion);
    this.#floor = captures[0]?.floor ?? null;
    return captures;
  }

  async #select(plan: WritePlan): Promise<readonly (readonly unknown[])[]> {
    const limit = this.options.maxRows + 1;
    try {
      return await this.connection.query(selectCaptures(plan, limit), [this.#last]);
    } catch (error) {
      // A column that is gone, say.
      await this.#requireCurrent();
      if (this.options.mustJoin() || !isMissing(error)) throw error;
      return this.connection.query(withoutFloor(selectCaptures(plan, limit)), [this.#last]);
    }
  }

  async #countOnly(): Promise<StatementChanges> {
    const rows = await this.connection.query(COUNT_CAPTURES, [this.#last]);
    this.#last = await this.#lastCapture();
    const inexact = rows.map(([number, event, count]): Inexact => {
      const table = this.#catalogue?.byNumber.get(Number(number));
      return {
        table: table?.name ?? null,
        fidelity: 'count-only',
        count: Number(count),
        reason: `more than ${this.options.maxRows} rows (${String(event)})`,
      };
    });
    return { rows: [], inexact };
  }

  async #changes(
    plan: WritePlan,
    catalogue: SqliteCatalogue,
    captures: readonly Capture[],
  ): Promise<RowChange[]> {
    const lineages = foldCaptures(captures);
    // What was noted before it happened may not have happened, under OR IGNORE or a trigger's RAISE(IGNORE).
    const doubtful =
      plan.hasTriggers ||
      captures.some(({ event, from, to }) => event === 'replace' || (event === 'update' && from !== to));
    for (const number of new Set(lineages.map((lineage) => lineage.table))) {
      const table = catalogue.byNumber.get(number);
      if (table === undefined || (table === plan.target && !doubtful)) continue;
      const rows = await this.connection.query(selectPresent(table), [this.#last, this.#last]);
      settleLineages(
        lineages.filter((lineage) => lineage.table === number),
        new Map(rows.map(([at, image]) => [String(at), String(image)])),
      );
    }
    const changes: RowChange[] = [];
    for (const lineage of lineages) {
      const table = catalogue.byNumber.get(lineage.table);
      const after = lineage.deleted ? null : lineage.after;
      if (table === undefined || lineage.before === after) continue;
      changes.push({
        table,
        before: lineage.before === null ? null : new SqliteImage(lineage.before),
        after: after === null ? null : new SqliteImage(after),
        from: lineage.from,
        to: after === null ? null : lineage.at,
      });
    }
    return doubtful ? orderChanges(changes) : changes;
  }
}

/** The audit's own tables are missing. */
function isMissing(error: unknown): boolean {
  return /no such table: (?:main\.)?audit_/i.test(errorText(error));
}
