import type { CaptureConnection } from '../dialect.js';
import { PostgresCatalogue, type PostgresTable } from './postgres-catalogue.js';
import { readWriteShape } from './read-write-shape.js';
import type { NamedTable, WriteShape } from './write-shape.js';
import { callsOf, readWritingFunctions } from './writing-functions.js';

const MAX_SHAPES = 1_000;
const MAX_LENGTH = 20_000;

/** What the sessions of one database share: its tables, its version, and the shapes of statements. */
export class PostgresSchema {
  readonly #catalogue = new PostgresCatalogue();
  readonly #shapes = new Map<string, WriteShape>();
  #functions: ReadonlySet<string> = new Set();
  #isPrepared = false;
  #preparing: Promise<void> | undefined;
  #version: number | undefined;
  /** That of the connection that was asked last: mostly all have the same, and each statement tells its own. */
  #scope: string | undefined;

  /** Reads what can not be read when a statement is seen. @returns undefined where it is known */
  prepare(connection: CaptureConnection): Promise<void> | undefined {
    if (this.#isPrepared) return undefined;
    this.#preparing ??= this.#prepare(connection).finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  async #prepare(connection: CaptureConnection): Promise<void> {
    this.#functions = await readWritingFunctions(connection);
    await this.version(connection);
    this.#isPrepared = true;
  }

  /** The application's functions that the statement calls and that may write rows. */
  writingCalls(sql: string): readonly string[] {
    return callsOf(sql, this.#functions);
  }

  shapeOf(sql: string): WriteShape {
    const known = this.#shapes.get(sql);
    if (known !== undefined) return known;
    const shape = readWriteShape(sql);
    if (sql.length <= MAX_LENGTH) {
      if (this.#shapes.size >= MAX_SHAPES) this.#shapes.clear();
      this.#shapes.set(sql, shape);
    }
    return shape;
  }

  async find(
    connection: CaptureConnection,
    { schema, name }: NamedTable,
  ): Promise<PostgresTable | undefined> {
    this.#scope ??= await this.#catalogue.readScope(connection);
    return this.#catalogue.find(connection, schema, name, this.#scope);
  }

  async byOid(connection: CaptureConnection, oid: string): Promise<PostgresTable | undefined> {
    this.#scope ??= await this.#catalogue.readScope(connection);
    return this.#catalogue.byOid(connection, oid, this.#scope);
  }

  /** `server_version_num`: 150019 is 15.19. */
  async version(connection: CaptureConnection): Promise<number> {
    if (this.#version !== undefined) return this.#version;
    const [row] = await connection.query("SELECT pg_catalog.current_setting('server_version_num')");
    this.#version = Number(row?.[0]);
    return this.#version;
  }

  isInScope(scope: string): boolean {
    return scope === this.#scope;
  }

  /** Everything is read anew when it is asked for next. */
  forget(): void {
    this.#catalogue.forget();
    this.#scope = undefined;
    this.#isPrepared = false;
  }
}
