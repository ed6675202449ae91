import type { CaptureConnection, ColumnInfo, ForeignKey, TableInfo } from '../dialect.js';
import { namesAndWords } from '../statement.js';
import { foldName, type Token, tokenize } from '../tokenize.js';

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
  readonly isLocatedByRowid: boolean;
  /** Columns that are computed from others, folded. */
  readonly generated: ReadonlySet<string>;
  readonly uniqueIndexes: readonly UniqueIndex[];
  /** SQLite allows no trigger on it. */
  readonly isVirtual: boolean;
  /** One of its constraints says ON CONFLICT REPLACE. */
  readonly replacesOnConflict: boolean;
  readonly actions: ForeignKeyAction[];
  /** What its own triggers, by the event that fires them, may write. */
  readonly triggers: SqliteTrigger[];
}

export interface UniqueIndex {
  /** Null for an expression. */
  readonly columns: readonly { readonly name: string | null; readonly collation: string }[];
  readonly isPartial: boolean;
}

export interface SqliteTrigger {
  /** Names of tables that its statements mention, folded. */
  readonly names: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
}

/** The tables of the main database, by folded name, as of one schema version. */
export interface SqliteCatalogue {
  readonly version: number;
  readonly tables: ReadonlyMap<string, SqliteTable>;
  readonly byNumber: ReadonlyMap<number, SqliteTable>;
  /** The INSTEAD OF triggers of each view. */
  readonly views: ReadonlyMap<string, { readonly triggers: SqliteTrigger[] }>;
}

const ROWID_ALIASES = ['rowid', '_rowid_', 'oid'];
const TABLES = `SELECT l.name, l.type, l.wr, m.sql FROM pragma_table_list l
  LEFT JOIN main.sqlite_schema m ON m.name = l.name AND m.type IN ('table','view')
  WHERE l.schema = 'main' ORDER BY l.name`;
// A pragma's second argument keeps it to the main database: a temporary table of the same name would come first.
const COLUMNS = `SELECT m.name, x.name, x.type, x.pk, x.hidden, x."notnull"
  FROM main.sqlite_schema m, pragma_table_xinfo(m.name, 'main') x WHERE m.type = 'table' ORDER BY m.name, x.cid`;
const UNIQUE_INDEXES = `SELECT m.name, i.name, c.name, c.coll, i.partial
  FROM main.sqlite_schema m, pragma_index_list(m.name, 'main') i, pragma_index_xinfo(i.name, 'main') c
  WHERE m.type = 'table' AND i."unique" = 1 AND c.key = 1 ORDER BY m.name, i.name, c.seqno`;
const FOREIGN_KEYS = `SELECT m.name, f.id, f."table", f."from", f."to", f.on_update, f.on_delete
  FROM main.sqlite_schema m, pragma_foreign_key_list(m.name, 'main') f WHERE m.type = 'table'
  ORDER BY m.name, f.id, f.seq`;
const TRIGGERS = `SELECT tbl_name, sql FROM main.sqlite_schema WHERE type = 'trigger'
  UNION ALL SELECT tbl_name, sql FROM temp.sqlite_schema WHERE type = 'trigger' AND name NOT GLOB 'indelible[_]*'`;

/** Reads tables, columns, foreign keys, triggers and views. Five queries, whatever the size of the schema. */
export async function readSqliteCatalogue(
  connection: CaptureConnection,
  version: number,
): Promise<SqliteCatalogue> {
  const columns = groupByName(await connection.query(COLUMNS));
  const uniqueIndexes = groupByName(await connection.query(UNIQUE_INDEXES));
  const tables = new Map<string, SqliteTable>();
  const views = new Map<string, { triggers: SqliteTrigger[] }>();
  for (const [name, type, withoutRowid, sql] of await connection.query(TABLES)) {
    if (type === 'view') {
      views.set(foldName(String(name)), { triggers: [] });
    } else if (type === 'table' || type === 'virtual') {
      const table = describeTable(
        String(name),
        tables.size + 1,
        columns.get(String(name)) ?? [],
        readUniqueIndexes(uniqueIndexes.get(String(name)) ?? []),
        Number(withoutRowid) === 0,
        type === 'virtual',
        String(sql ?? ''),
      );
      tables.set(foldName(table.name.name), table);
    }
  }
  linkForeignKeys(tables, await connection.query(FOREIGN_KEYS));
  for (const [name, sql] of await connection.query(TRIGGERS)) {
    const owner = foldName(String(name));
    (tables.get(owner) ?? views.get(owner))?.triggers.push(readTrigger(String(sql ?? '')));
  }
  const byNumber = new Map([...tables.values()].map((table) => [table.number, table]));
  return { version, tables, byNumber, views };
}

function describeTable(
  name: string,
  number: number,
  rows: readonly (readonly unknown[])[],
  uniqueIndexes: readonly UniqueIndex[],
  hasRowid: boolean,
  isVirtual: boolean,
  sql: string,
): SqliteTable {
  const columns = rows
    .filter(([, , , , hidden]) => Number(hidden) !== 1)
    .map(([, column, type]) => ({ name: String(column), declaredType: String(type) }));
  const primaryKey = rows
    .filter(([, , , position]) => Number(position) > 0)
    .sort((left, right) => Number(left[3]) - Number(right[3]))
    .map(([, column]) => String(column));
  const notNull = new Set(rows.filter((row) => Number(row[5]) === 1).map(([, column]) => String(column)));
  const taken = new Set(columns.map((column) => foldName(column.name)));
  const alias = hasRowid ? ROWID_ALIASES.find((candidate) => !taken.has(candidate)) : undefined;
  // In a table with a rowid a key may be NULL, and then finds no row: only the rowid's own alias never is.
  const isFound =
    !hasRowid ||
    primaryKey.every((column) => notNull.has(column)) ||
    (primaryKey.length === 1 && /^integer$/i.test(columnType(columns, primaryKey[0])));
  return {
    name: { schema: null, name },
    number,
    columns,
    key: primaryKey.length > 0 ? primaryKey : uniqueKey(uniqueIndexes, notNull),
    locator: alias !== undefined ? [alias] : isFound ? primaryKey : [],
    isLocatedByRowid: alias !== undefined,
    generated: folded(rows.filter((row) => Number(row[4]) > 1).map(([, column]) => String(column))),
    uniqueIndexes,
    isVirtual,
    replacesOnConflict: namesAndWords(tokenize(sql)).words.has('REPLACE'),
    references: [],
    actions: [],
    triggers: [],
  };
}

function columnType(columns: readonly ColumnInfo[], name: string | undefined): string {
  return columns.find((column) => column.name === name)?.declaredType ?? '';
}

function readUniqueIndexes(rows: readonly (readonly unknown[])[]): UniqueIndex[] {
  const indexes = new Map<string, { columns: UniqueIndex['columns'][number][]; isPartial: boolean }>();
  for (const [, name, column, collation, partial] of rows) {
    const index = indexes.get(String(name)) ?? { columns: [], isPartial: Number(partial) === 1 };
    index.columns.push({ name: column === null ? null : String(column), collation: String(collation) });
    indexes.set(String(name), index);
  }
  return [...indexes.values()];
}

/** The first unique index over columns that are never NULL: it tells rows apart as well as a primary key. */
function uniqueKey(indexes: readonly UniqueIndex[], notNull: ReadonlySet<string>): string[] {
  const key = indexes.find(
    ({ columns, isPartial }) => !isPartial && columns.every(({ name }) => name !== null && notNull.has(name)),
  );
  return (key?.columns ?? []).flatMap(({ name }) => (name === null ? [] : [name]));
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
    const child = tables.get(foldName(String(first[0])));
    const parent = tables.get(foldName(String(first[2])));
    if (child === undefined || parent === undefined) continue;
    const childColumns = parts.map((part) => String(part[3]));
    // A foreign key that names no parent columns means the parent's primary key.
    const parentColumns = parts.map((part, position) => String(part[4] ?? parent.key[position] ?? ''));
    (child.references as ForeignKey[]).push({ columns: childColumns, table: parent.name.name });
    parent.actions.push({
      child,
      childColumns: folded(childColumns),
      parentColumns: folded(parentColumns),
      onUpdate: String(first[5]),
      onDelete: String(first[6]),
    });
  }
}

function folded(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map(foldName));
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

/** What stands behind the first BEGIN; before it are the trigger's own table and event. */
function readTrigger(sql: string): SqliteTrigger {
  const tokens = tokenize(sql);
  const isBegin = (token: Token): boolean => token.kind === 'word' && token.text.toUpperCase() === 'BEGIN';
  return namesAndWords(tokens.slice(tokens.findIndex(isBegin) + 1));
}
