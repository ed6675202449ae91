import type { CaptureConnection } from '../dialect.js';
import { idOf, readTables } from './mysql-catalogue.js';
import type { MysqlTable } from './mysql-table.js';
import { type TokenMode, tokenizeMysql, USUAL_MODE } from './mysql-tokens.js';
import { readWriteShape } from './read-write-shape.js';
import type { WriteShape } from './write-shape.js';
import { callsOf, mayWriteRows } from './writing-routines.js';

const MAX_SHAPES = 1_000;
const MAX_LENGTH = 20_000;
/** How long it may stay unseen that another process has changed the schema: asking costs as much as a small statement. */
const CHECK_AFTER_MS = 1_000;

const SERVER = `SELECT VERSION(), DATABASE(), @@SESSION.sql_mode, @@max_allowed_packet`;
const CHANGES = `SELECT CONCAT_WS('|',
  (SELECT CONCAT_WS(',', COUNT(*), MAX(CREATE_TIME)) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()),
  (SELECT CONCAT_WS(',', COUNT(*), MAX(CREATED)) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()),
  (SELECT CONCAT_WS(',', COUNT(*), MAX(LAST_ALTERED)) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()),
  @@SESSION.sql_mode), UNIX_TIMESTAMP(), UNIX_TIMESTAMP(GREATEST(
  COALESCE((SELECT MAX(CREATE_TIME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()), '1970-01-02'),
  COALESCE((SELECT MAX(LAST_ALTERED) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()), '1970-01-02')))`;
const ROUTINES = `SELECT ROUTINE_NAME, ROUTINE_TYPE, ROUTINE_DEFINITION FROM information_schema.ROUTINES
WHERE ROUTINE_SCHEMA = DATABASE()`;

/** What is known of the server and of the connections' settings. */
export interface ServerState {
  readonly isMariaDb: boolean;
  /** INSERT and DELETE can return their rows. */
  readonly supportsReturning: boolean;
  readonly database: string;
  readonly mode: TokenMode;
  /** Bytes that a text of the server may have, with room for what stands around it. */
  readonly maxBytes: number;
  /** Settings under which not everything can be told exactly. */
  readonly unsafe: readonly string[];
}

/** What the sessions of one database share: its tables, its settings, and the shapes of statements. */
export class MysqlSchema {
  readonly #tables = new Map<string, ReadonlyMap<string, MysqlTable>>();
  readonly #shapes = new Map<string, WriteShape>();
  #state: ServerState | undefined;
  #writing: ReadonlySet<string> = new Set();
  #changes: string | undefined;
  #checkedAt = 0;
  #preparing: Promise<void> | undefined;
  #changedSettings: readonly string[] = [];

  /** Reads what can not be read when a statement is seen. @returns undefined where it is known */
  prepare(connection: CaptureConnection): Promise<void> | undefined {
    if (this.#state !== undefined && Date.now() - this.#checkedAt < CHECK_AFTER_MS) return undefined;
    this.#preparing ??= this.#prepare(connection).finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  async #prepare(connection: CaptureConnection): Promise<void> {
    const [[changes, now, altered] = []] = await connection.query(CHANGES);
    // What has changed within this very second may change again in it.
    const isFresh = Number(now) - Number(altered) < 2;
    if (String(changes) !== this.#changes || isFresh || this.#state === undefined) {
      this.#forgetTables();
      this.#changes = String(changes);
      this.#state = readState((await connection.query(SERVER))[0] ?? []);
      this.#writing = readWriting(await connection.query(ROUTINES), this.#state.mode);
    }
    this.#checkedAt = Date.now();
  }

  get mode(): TokenMode {
    return this.#state?.mode ?? USUAL_MODE;
  }

  async state(connection: CaptureConnection): Promise<ServerState> {
    if (this.#state === undefined) await this.#prepare(connection);
    if (this.#state === undefined) throw new Error('the server does not say what it is');
    return this.#state;
  }

  get unsafeSettings(): readonly string[] {
    return [...(this.#state?.unsafe ?? []), ...this.#changedSettings];
  }

  /** The statement sets something that says how texts are read, or which database is meant: from then on nothing is sure. */
  noteSetting(sql: string): void {
    const what = /\bsql_mode\b/i.test(sql) ? 'sql_mode' : /^\s*use\b/i.test(sql) ? 'database' : undefined;
    if (what === undefined) return;
    const setting = `${what}, which a statement has changed`;
    if (!this.#changedSettings.includes(setting)) this.#changedSettings = [...this.#changedSettings, setting];
  }

  /** The functions and procedures of the database that the statement calls and that may write rows. */
  writingCalls(sql: string): readonly string[] {
    if (this.#writing.size === 0) return [];
    return callsOf(tokenizeMysql(sql, this.mode), this.#writing);
  }

  shapeOf(sql: string): WriteShape {
    const known = this.#shapes.get(sql);
    if (known !== undefined) return known;
    const shape = readWriteShape(sql, this.mode);
    if (sql.length <= MAX_LENGTH) {
      if (this.#shapes.size >= MAX_SHAPES) this.#shapes.clear();
      this.#shapes.set(sql, shape);
    }
    return shape;
  }

  async find(
    connection: CaptureConnection,
    { schema, name }: { readonly schema: string | null; readonly name: string },
  ): Promise<MysqlTable | undefined> {
    const { database } = await this.state(connection);
    const tables = await this.#tablesOf(connection, schema ?? database);
    return tables.get(name) ?? byFoldedName(tables, name);
  }

  async byId(connection: CaptureConnection, id: string): Promise<MysqlTable | undefined> {
    const parsed: unknown = JSON.parse(id);
    if (!Array.isArray(parsed)) return undefined;
    const tables = await this.#tablesOf(connection, String(parsed[0]));
    return [...tables.values()].find((table) => table.id === idOf(String(parsed[0]), String(parsed[1])));
  }

  /** Everything is read anew when it is asked for next. */
  forget(): void {
    this.#forgetTables();
    this.#checkedAt = 0;
  }

  #forgetTables(): void {
    this.#tables.clear();
    this.#shapes.clear();
    this.#changes = undefined;
  }

  async #tablesOf(connection: CaptureConnection, database: string): Promise<ReadonlyMap<string, MysqlTable>> {
    const known = this.#tables.get(database);
    if (known !== undefined) return known;
    const { database: current, isMariaDb, mode } = await this.state(connection);
    const tables = await readTables(connection, database, { current, isMariaDb, mode });
    this.#tables.set(database, tables);
    return tables;
  }
}

/** Where the server's file system knows no case, names of tables are the same in any. */
function byFoldedName(tables: ReadonlyMap<string, MysqlTable>, name: string): MysqlTable | undefined {
  const folded = name.toLowerCase();
  const found = [...tables.values()].filter((table) => table.name.name.toLowerCase() === folded);
  return found.length === 1 ? found[0] : undefined;
}

function readState([version, database, mode, packet]: readonly unknown[]): ServerState {
  const isMariaDb = /mariadb/i.test(String(version));
  const [major = 0, minor = 0] = String(version).split('.').map(Number);
  const modes = new Set(String(mode).toUpperCase().split(','));
  const unsafe = ['ORACLE', 'MSSQL', 'SIMULTANEOUS_ASSIGNMENT', 'PAD_CHAR_TO_FULL_LENGTH'].filter((name) =>
    modes.has(name),
  );
  return {
    isMariaDb,
    supportsReturning: isMariaDb && (major > 10 || (major === 10 && minor >= 5)),
    database: typeof database === 'string' ? database : '',
    mode: { hasQuotedNames: modes.has('ANSI_QUOTES'), hasEscapes: !modes.has('NO_BACKSLASH_ESCAPES') },
    maxBytes: Math.min(Math.floor(Number(packet) / 4), 64 * 1024 * 1024),
    unsafe: unsafe.map((name) => `sql_mode ${name}`),
  };
}

/** The functions that may write rows, themselves or by calling another one of the database. */
function readWriting(rows: readonly (readonly unknown[])[], mode: TokenMode): ReadonlySet<string> {
  const bodies = rows.map(([name, , body]) => [textOf(name).toLowerCase(), textOf(body)] as const);
  const writing = new Set<string>();
  for (let before = -1; before !== writing.size; ) {
    before = writing.size;
    for (const [name, body] of bodies) {
      if (mayWriteRows(body, mode, (called) => writing.has(called))) writing.add(name);
    }
  }
  return writing;
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'string' ? value : '';
}
