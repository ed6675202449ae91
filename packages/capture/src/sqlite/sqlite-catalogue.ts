import type { CaptureConnection, ForeignKey, TableInfo } from '../dialect.js';
import { readStatement } from '../statement.js';
import { tokenize } from '../tokenize.js';

/** What a row of one table can do to rows of another through a foreign key. */
export interface ForeignKeyAction {
  readonly child: SqliteTable;
  readonly childColumns: ReadonlySet<string>;
  readonly parentColumns: ReadonlySet<string>;
  readonly onUpdate: string;
  readonly onDelete: string;
}

export interface SqliteTable extends TableInfo {
  /** Stable within one catalogue: the name of the table in the capture table. */
  readonly number: number;
  /** The columns that find a row: an alias of the rowid, or the primary key of a table WITHOUT ROWID. */
  readonly locator: readonly string[];
  readonly hasRowid: boolean;
  /** SQLite allows no trigger on it. */
  readonly isVirtual: boolean;
  /** One of its constraints says ON CONFLICT REPLACE. */
  readonly replacesOnConflict: boolean;
  readonly actions: ForeignKeyAction[];
  /** What its own triggers, by the event that fires them, may write. */
  readonly triggers: SqliteTrigger[];
}

export interface SqliteTrigger {
  /** Names of tables that its statements mention, in lower case. */
  readonly names: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
}

/** The tables of the main database, by lower-case name, as of one schema version. */
export interface SqliteCatalogue {
  readonly version: number;
  readonly tables: ReadonlyMap<string, SqliteTable>;
  readonly byNumber: ReadonlyMap<number, SqliteTable>;
  /** Names that each view mentions, and its INSTEAD OF triggers. */
  readonly views: ReadonlyMap<
    string,
    { readonly names: ReadonlySet<string>; readonly triggers: SqliteTrigger[] }
  >;
}

const ROWID_ALIASES = ['rowid', '_rowid_', 'oid'];
const TABLES = `SELECT l.name, l.type, l.wr, m.sql FROM pragma_table_list l
  LEFT JOIN main.sqlite_schema m ON m.name = l.name AND m.type IN ('table','view')
  WHERE l.schema = 'main' ORDER BY l.name`;
const COLUMNS = `SELECT m.name, x.name, x.type, x.pk, x.hidden
  FROM main.sqlite_schema m, pragma_table_xinfo(m.name) x WHERE m.type = 'table' ORDER BY m.name, x.cid`;
const FOREIGN_KEYS = `SELECT m.name, f.id, f."table", f."from", f."to", f.on_update, f.on_delete
  FROM main.sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq`;
const TRIGGERS = `SELECT tbl_name, sql FROM main.sqlite_schema WHERE type = 'trigger'
  UNION ALL SELECT tbl_name, sql FROM temp.sqlite_schema WHERE type = 'trigger' AND name NOT GLOB 'indelible[_]*'`;

/** Reads tables, columns, foreign keys, triggers and views. Four queries, whatever the size of the schema. */
export async function readSqliteCatalogue(
  connection: CaptureConnection,
  version: number,
): Promise<SqliteCatalogue> {
  const columns = groupByName(await connection.query(COLUMNS));
  const tables = new Map<string, SqliteTable>();
  const views = new Map<string, { names: ReadonlySet<string>; triggers: SqliteTrigger[] }>();
  for (const [name, type, withoutRowid, sql] of await connection.query(TABLES)) {
    const text = String(sql ?? '');
    if (type === 'view') {
      views.set(String(name).toLowerCase(), { names: namesIn(text), triggers: [] });
    } else if (type === 'table' || type === 'virtual') {
      const table = describeTable(
        String(name),
        tables.size + 1,
        columns.get(String(name)) ?? [],
        Number(withoutRowid) === 0,
        type === 'virtual',
        text,
      );
      tables.set(table.name.name.toLowerCase(), table);
    }
  }
  linkForeignKeys(tables, await connection.query(FOREIGN_KEYS));
  for (const [name, sql] of await connection.query(TRIGGERS)) {
    const statement = namesAndWords(String(sql ?? ''));
    const owner = String(name).toLowerCase();
    (tables.get(owner) ?? views.get(owner))?.triggers.push(statement);
  }
  const byNumber = new Map([...tables.values()].map((table) => [table.number, table]));
  return { version, tables, byNumber, views };
}

function describeTable(
  name: string,
  number: number,
  rows: readonly (readonly unknown[])[],
  hasRowid: boolean,
  isVirtual: boolean,
  sql: string,
): SqliteTable {
  const columns = rows
    .filter(([, , , , hidden]) => Number(hidden) !== 1)
    .map(([, column, type]) => ({ name: String(column), declaredType: String(type) }));
  const key = rows
    .filter(([, , , position]) => Number(position) > 0)
    .sort((left, right) => Number(left[3]) - Number(right[3]))
    .map(([, column]) => String(column));
  const taken = new Set(columns.map((column) => column.name.toLowerCase()));
  const alias = ROWID_ALIASES.find((candidate) => !taken.has(candidate));
  return {
    name: { schema: null, name },
    number,
    columns,
    key,
    locator: hasRowid && alias !== undefined ? [alias] : key,
    hasRowid,
    isVirtual,
    replacesOnConflict: /\bON\s+CONFLICT\s+REPLACE\b/i.test(sql),
    references: [],
    actions: [],
    triggers: [],
  };
}

function linkForeignKeys(tables: Map<string, SqliteTable>, rows: readonly (readonly unknown[])[]): void {
  const keys = new Map<string, (readonly unknown[])[]>();
  for (const row of rows) {
    const id = `${String(row[0])}\u0000${String(row[1])}`;
    keys.set(id, [...(keys.get(id) ?? []), row]);
  }
  for (const parts of keys.values()) {
    const [first] = parts;
    if (first === undefined) continue;
    const child = tables.get(String(first[0]).toLowerCase());
    const parent = tables.get(String(first[2]).toLowerCase());
    if (child === undefined || parent === undefined) continue;
    const childColumns = parts.map((part) => String(part[3]));
    // A foreign key that names no parent columns means the parent's primary key.
    const parentColumns = parts.map((part, position) => String(part[4] ?? parent.key[position] ?? ''));
    (child.references as ForeignKey[]).push({ columns: childColumns, table: parent.name.name });
    parent.actions.push({
      child,
      childColumns: lowered(childColumns),
      parentColumns: lowered(parentColumns),
      onUpdate: String(first[5]),
      onDelete: String(first[6]),
    });
  }
}

function lowered(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

function groupByName(rows: readonly (readonly unknown[])[]): Map<string, (readonly unknown[])[]> {
  const groups = new Map<string, (readonly unknown[])[]>();
  for (const row of rows) {
    const name = String(row[0]);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return groups;
}

function namesIn(sql: string): ReadonlySet<string> {
  return namesAndWords(sql).names;
}

function namesAndWords(sql: string): SqliteTrigger {
  // Read as a write whatever it begins with: what counts are the names and the verbs in it.
  const { names, words } = readStatement(`DELETE ${sql.slice(0, 200_000)}`);
  const verbs = new Set(words);
  const isDelete = tokenize(sql).some(
    (token) => token.kind === 'word' && token.text.toUpperCase() === 'DELETE',
  );
  if (!isDelete) verbs.delete('DELETE');
  return { names, words: verbs };
}
