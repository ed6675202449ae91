import type {
  CaptureConnection,
  CaptureSession,
  Inexact,
  RowChange,
  SessionOptions,
  StatementChanges,
} from '../dialect.js';
import type { Statement } from '../statement.js';
import {
  CAPTURE_FLOOR,
  type Capture,
  CLEAR_CAPTURE_TABLE,
  COUNT_CAPTURES,
  CREATE_CAPTURE_TABLE,
  createTrigger,
  readCapture,
  selectCaptures,
  selectPresent,
  triggerName,
} from './capture-triggers.js';
import { foldCaptures, type Lineage } from './row-lineage.js';
import type { SqliteCatalogue } from './sqlite-catalogue.js';
import type { SqliteCatalogueCache } from './sqlite-catalogue-cache.js';
import { quoteName, SqliteImage } from './stored-value.js';
import type { WritePlan } from './write-plan.js';

const INSTALLED = "SELECT group_concat(name) FROM temp.sqlite_schema WHERE name GLOB 'indelible[_]*'";
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
  /** A transaction has begun since the schema's version was read. */
  #renewed = false;
  /** A statement ran whose captures nobody wants. */
  #skipped = false;
  #hasCaptureTable = false;
  #last = 0;
  #floor: string | null = null;
  #plan: WritePlan | undefined;
  #catalogue: SqliteCatalogue | undefined;
  #restoreRecursiveTriggers = false;

  constructor(
    private readonly connection: CaptureConnection,
    private readonly options: SessionOptions,
    private readonly catalogues: SqliteCatalogueCache,
    private readonly begun: boolean,
  ) {}

  floorId(): string | null {
    return this.#floor;
  }

  async before(statement: Statement): Promise<readonly Inexact[]> {
    if (!this.#probed) await this.#probe();
    else if (this.#renewed || this.#skipped) await this.#resume();
    let plan = this.#makePlan(statement);
    if (plan.watched.size === 0 && plan.unwatchable.length === 0) {
      // The schema may have changed inside this transaction, or the statement writes a table of another database.
      await this.#probe();
      plan = this.#makePlan(statement);
    }
    this.#plan = plan;
    await this.#install(plan);
    return this.#findInexact(statement, plan);
  }

  async after(_statement: Statement, succeeded: boolean): Promise<StatementChanges> {
    const plan = this.#plan;
    this.#plan = undefined;
    try {
      if (plan === undefined || this.#catalogue === undefined || !this.#hasCaptureTable) return NOTHING;
      const captures = await this.#read(plan);
      const last = captures.at(-1);
      if (last === undefined || !succeeded) return NOTHING;
      if (captures.length > this.options.maxRows) return await this.#countOnly();
      const rows = await this.#changes(plan, this.#catalogue, captures);
      this.#last = last.seq;
      return { rows, inexact: [] };
    } finally {
      if (this.#restoreRecursiveTriggers) {
        this.#restoreRecursiveTriggers = false;
        await this.connection.execute('PRAGMA recursive_triggers = 0');
      }
    }
  }

  async beforeSchemaChange(): Promise<void> {
    // A trigger of ours would make ALTER TABLE … DROP COLUMN fail.
    const names = await this.connection.query(
      "SELECT name FROM temp.sqlite_schema WHERE type = 'trigger' AND name GLOB 'indelible[_]*'",
    );
    for (const [name] of names) await this.connection.execute(`DROP TRIGGER temp.${quoteName(String(name))}`);
    this.forget();
  }

  async wasRolledBack(): Promise<boolean> {
    if (!this.#hasCaptureTable || this.#last === 0) return false;
    try {
      if ((await this.#lastCapture()) >= this.#last) return false;
    } catch {
      // The capture table was made in the transaction and went with it.
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

  skip(): void {
    this.#skipped = true;
  }

  forget(): void {
    this.#probed = false;
    this.#hasCaptureTable = false;
    this.#installed.clear();
    this.#last = 0;
  }

  async #probe(): Promise<void> {
    if (!this.begun) await this.connection.execute(TAKE_WRITE_LOCK);
    const [row] = await this.connection.query(INSTALLED);
    const version = await this.#schemaVersion();
    this.#catalogue = await this.catalogues.get(this.connection, version);
    this.#installed = new Set(
      String(row?.[0] ?? '')
        .split(',')
        .filter(Boolean),
    );
    this.#hasCaptureTable = this.#installed.delete('indelible_capture');
    await this.#clear();
    await this.#dropOutdated(version);
    this.#renewed = false;
    this.#skipped = false;
    this.#probed = true;
  }

  /** The connection is known: only what others may have changed since is looked at. */
  async #resume(): Promise<void> {
    if (this.#renewed && (await this.#schemaVersion()) !== this.#catalogue?.version) {
      await this.#probe();
      return;
    }
    if (this.#skipped && this.#hasCaptureTable) this.#last = await this.#lastCapture();
    if (this.#renewed && this.#last > MAX_KEPT) await this.#clear();
    this.#renewed = false;
    this.#skipped = false;
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

  async #install(plan: WritePlan): Promise<void> {
    const version = this.#catalogue?.version ?? 0;
    if (plan.watched.size > 0 && !this.#hasCaptureTable) {
      await this.connection.execute(CREATE_CAPTURE_TABLE);
      this.#hasCaptureTable = true;
    }
    for (const [table, events] of plan.watched) {
      for (const event of events) {
        const name = triggerName(version, table, event);
        if (this.#installed.has(name)) continue;
        await this.connection.execute(createTrigger(version, table, event));
        this.#installed.add(name);
      }
    }
  }

  async #findInexact(statement: Statement, plan: WritePlan): Promise<readonly Inexact[]> {
    const inexact: Inexact[] = plan.unwatchable.map((table) => ({
      table: table.name,
      fidelity: 'opaque',
      reason: 'SQLite allows no trigger on this table',
    }));
    if (plan.replaces && !(await this.#watchReplace(plan))) {
      inexact.push({
        table: plan.target?.name ?? null,
        fidelity: 'opaque',
        reason: 'rows that REPLACE deletes can not be seen on a table with triggers of its own',
      });
    }
    if (
      plan.watched.size === 0 &&
      plan.unwatchable.length === 0 &&
      !(await this.#writesTemporary(statement))
    ) {
      inexact.push({
        table: null,
        fidelity: 'opaque',
        reason: 'the statement names no table of the database',
      });
    }
    return inexact;
  }

  /** SQLite fires delete triggers for REPLACE only while recursive triggers are on, which would change the others. */
  async #watchReplace(plan: WritePlan): Promise<boolean> {
    const [row] = await this.connection.query('PRAGMA recursive_triggers');
    if (Number(row?.[0]) === 1) return true;
    if (plan.hasTriggers) return false;
    await this.connection.execute('PRAGMA recursive_triggers = 1');
    this.#restoreRecursiveTriggers = true;
    return true;
  }

  /** Temporary and ignored tables are not part of what is audited. */
  async #writesTemporary(statement: Statement): Promise<boolean> {
    const rows = await this.connection.query(
      "SELECT lower(name) FROM temp.sqlite_schema WHERE type = 'table'",
    );
    if (rows.some(([name]) => statement.names.has(String(name)))) return true;
    const tables = this.#catalogue?.tables;
    return [...statement.names].some((name) => {
      const table = tables?.get(name);
      return table !== undefined && this.options.ignores(table.name);
    });
  }

  async #read(plan: WritePlan): Promise<Capture[]> {
    const rows = await this.connection.query(selectCaptures(plan, this.options.maxRows + 1), [this.#last]);
    const floor = rows[0]?.[CAPTURE_FLOOR];
    this.#floor = typeof floor === 'string' ? floor : null;
    return rows.map(readCapture);
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
    // A row that was moved or deleted by a statement with ON CONFLICT IGNORE or under a trigger's RAISE(IGNORE) may be
    // where it was.
    const doubtful =
      plan.hasTriggers || lineages.some((lineage) => lineage.from !== null && lineage.from !== lineage.at);
    for (const number of new Set(lineages.map((lineage) => lineage.table))) {
      const table = catalogue.byNumber.get(number);
      if (table === undefined || (table === plan.target && !doubtful)) continue;
      const rows = await this.connection.query(selectPresent(table), [this.#last]);
      settle(
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
      });
    }
    return changes;
  }
}

/** Gives each row the image that stands at its place now. */
function settle(lineages: readonly Lineage[], present: ReadonlyMap<string, string>): void {
  const occupied = new Set(lineages.filter((lineage) => !lineage.deleted).map((lineage) => lineage.at));
  for (const lineage of lineages) {
    if (lineage.deleted) {
      const still = present.get(lineage.at);
      if (still !== undefined && still === lineage.before && !occupied.has(lineage.at)) {
        lineage.deleted = false;
        lineage.after = still;
      }
      continue;
    }
    lineage.after = present.get(lineage.at) ?? null;
    const old = lineage.from === null ? undefined : present.get(lineage.from);
    if (lineage.from !== lineage.at && old !== undefined && old === lineage.before) lineage.after = old;
  }
}
