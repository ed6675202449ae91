import type { CaptureConnection, ValueLimits } from '../dialect.js';
import { PostgresCatalogue, type PostgresTable } from './postgres-catalogue.js';
import { readWriteShape } from './read-write-shape.js';
import type { ImageLimits } from './row-image.js';
import { HAS_RECORDERS } from './table-query.js';
import { type TextEncoding, textEncoding } from './text-encoding.js';
import { TrustedRecorders } from './trusted-recorders.js';
import { readUnsafeSettings, settingChangedBy } from './unsafe-settings.js';
import type { NamedTable, WriteShape } from './write-shape.js';
import {
  functionsMadeBy,
  NO_WRITING_NAMES,
  readWritingNames,
  readWritingState,
  type WritingNames,
  writingCallsOf,
} from './writing-functions.js';

/** How long a function that another process has replaced may go unnoticed. */
const LOOK_AGAIN_MS = 5_000;
const MAX_TEXTS = 1_000;
const MAX_LENGTH = 20_000;

/** What the sessions of one database share: its tables, its version, and the shapes of statements. */
export class PostgresSchema {
  readonly recorders = new TrustedRecorders();
  readonly #catalogue = new PostgresCatalogue();
  readonly #shapes = new Map<string, WriteShape>();
  /** The calls of writes, by their text. */
  readonly #calls = new Map<string, readonly string[]>();
  #writing: WritingNames = NO_WRITING_NAMES;
  #settings: readonly string[] = [];
  #hasRecorders = false;
  #isPrepared = false;
  #state = '';
  /** When that was looked at, by the process's monotonic clock. */
  #lookedAt = 0;
  #preparing: Promise<void> | undefined;
  #version: number | undefined;
  #isUtf8 = true;
  #encoding: TextEncoding = 'sure';
  #limits: ImageLimits | undefined;
  /** By oid: rows with large values have been seen there, or stand there. */
  readonly #wide = new Set<string>();
  /** That of the connection that told it last: mostly all have the same. */
  #scope: string | undefined;

  /** Reads what can not be read when a statement is seen. @returns undefined where it is known */
  prepare(connection: CaptureConnection): Promise<void> | undefined {
    const isDue = performance.now() - this.#lookedAt > LOOK_AGAIN_MS;
    if (this.#isPrepared && !isDue) return undefined;
    this.#preparing ??= (this.#isPrepared ? this.#lookAgain(connection) : this.#prepare(connection)).finally(
      () => {
        this.#preparing = undefined;
      },
    );
    return this.#preparing;
  }

  /** Others may have replaced functions. Where that can not be asked, the caller's own statement says why. */
  async #lookAgain(connection: CaptureConnection): Promise<void> {
    this.#lookedAt = performance.now();
    const state = await readWritingState(connection).catch(() => this.#state);
    if (state !== this.#state) await this.#prepare(connection);
  }

  async #prepare(connection: CaptureConnection): Promise<void> {
    this.#lookedAt = performance.now();
    this.#state = await readWritingState(connection);
    this.#writing = await readWritingNames(connection);
    this.#calls.clear();
    this.#settings = await readUnsafeSettings(connection);
    const [row] = await connection.query(HAS_RECORDERS);
    this.#hasRecorders = row?.[0] === 'true';
    await this.version(connection);
    this.#isPrepared = true;
  }

  /** Of the database, as soon as its version is known. */
  get encoding(): TextEncoding {
    return this.#encoding;
  }

  /** Settings under which not everything can be told exactly. */
  get unsafeSettings(): readonly string[] {
    return this.#settings;
  }

  /** Triggers of the database record tables by themselves. */
  get hasRecorders(): boolean {
    return this.#hasRecorders;
  }

  /** The statement may change such a setting on its connection: from then on nothing is sure. */
  noteSetting(sql: string): void {
    const name = settingChangedBy(sql);
    if (name === undefined || this.#settings.some((setting) => setting.startsWith(name))) return;
    this.#settings = [...this.#settings, `${name}, which a statement has changed`];
  }

  /** The statement changes the schema: until that is read anew, the functions that it makes may write. */
  noteFunctions(sql: string): void {
    const made = functionsMadeBy(sql);
    if (made.length === 0) return;
    this.#writing = { ...this.#writing, functions: new Set([...this.#writing.functions, ...made]) };
    this.#calls.clear();
  }

  /**
   * The application's functions that the statement calls and that may write rows.
   * @param isQuery it writes no rows itself
   */
  writingCalls(sql: string, isQuery = false): readonly string[] {
    if (isQuery) return writingCallsOf(sql, this.#writing, isQuery);
    return keep(this.#calls, sql, () => writingCallsOf(sql, this.#writing, isQuery));
  }

  shapeOf(sql: string): WriteShape {
    return keep(this.#shapes, sql, () => readWriteShape(sql));
  }

  /** @param scope that of the connection */
  async find(
    connection: CaptureConnection,
    { schema, name }: NamedTable,
    scope: string,
  ): Promise<PostgresTable | undefined> {
    const found = await this.#catalogue.find(connection, schema, name, scope, this.#isUtf8);
    return found && this.recorders.judge(found);
  }

  /** @param scope that of the connection */
  async byOid(connection: CaptureConnection, oid: string, scope: string): Promise<PostgresTable | undefined> {
    const found = await this.#catalogue.byOid(connection, oid, scope);
    return found && this.recorders.judge(found);
  }

  /** What a connection begins with, most likely: it has to be compared with what its statements tell. */
  async guessScope(connection: CaptureConnection): Promise<string> {
    this.#scope ??= await this.#catalogue.readScope(connection);
    return this.#scope;
  }

  readScope(connection: CaptureConnection): Promise<string> {
    return this.#catalogue.readScope(connection);
  }

  noteScope(scope: string): void {
    this.#scope = scope;
  }

  /** `server_version_num`: 150019 is 15.19. */
  async version(connection: CaptureConnection): Promise<number> {
    if (this.#version !== undefined) return this.#version;
    const [row] = await connection.query(
      "SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.getdatabaseencoding()::text",
    );
    this.#version = Number(row?.[0]);
    this.#isUtf8 = row?.[1] === 'UTF8';
    this.#encoding = textEncoding(String(row?.[1]));
    return this.#version;
  }

  /** The same object for the same limits: what is rewritten with them is kept. */
  imageLimits({ maxEventBytes, maxBinaryBytes }: ValueLimits): ImageLimits {
    const [known, isUtf8] = [this.#limits, this.#isUtf8];
    if (known?.maxEventBytes === maxEventBytes && known.maxBinaryBytes === maxBinaryBytes) {
      if (known.isUtf8 === isUtf8) return known;
    }
    this.#limits = { maxEventBytes, maxBinaryBytes, isUtf8 };
    return this.#limits;
  }

  noteWide(table: PostgresTable): void {
    this.#wide.add(table.oid);
  }

  isWide({ oid, isWide }: PostgresTable): boolean {
    return isWide || this.#wide.has(oid);
  }

  /** Everything is read anew when it is asked for next. */
  forget(): void {
    this.#catalogue.forget();
    this.#scope = undefined;
    this.#isPrepared = false;
  }
}

/** What is known of a text, found out once where the text is not very long. */
function keep<T>(all: Map<string, T>, sql: string, find: () => T): T {
  const known = all.get(sql);
  if (known !== undefined) return known;
  const found = find();
  if (sql.length <= MAX_LENGTH) {
    if (all.size >= MAX_TEXTS) all.clear();
    all.set(sql, found);
  }
  return found;
}
