import type { CaptureConnection } from '../dialect.js';
import type {
  ColumnForm,
  MysqlAction,
  MysqlColumn,
  MysqlReference,
  MysqlTable,
  MysqlTrigger,
} from './mysql-table.js';
import { quoteIdentifier, type TokenMode } from './mysql-tokens.js';
import { mayWriteRows } from './writing-routines.js';

// Everything comes as binary text, so that no collation and no type of information_schema matters.
const COLUMNS = `SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, EXTRA, GENERATION_EXPRESSION, IS_NULLABLE, PRIVILEGES
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`;
const TABLES = `SELECT t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS
FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE WHERE t.TABLE_SCHEMA = ?`;
const KEYS = `SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`;
const TRIGGERS = `SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, ACTION_STATEMENT
FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ?`;
const REFERENCES = `SELECT k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME,
  k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE
FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
  ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.TABLE_NAME = k.TABLE_NAME AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
WHERE k.REFERENCED_TABLE_SCHEMA = ? OR (k.TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_NAME IS NOT NULL)
ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`;
const JSON_CHECKS = `SELECT TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = ? AND CHECK_CLAUSE LIKE 'json\\_valid(%'`;

type Row = readonly string[];

interface References {
  readonly outgoing: Map<string, { columns: string[]; table: string }>;
  readonly incoming: Map<string, Mutable<MysqlReference>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer I)[] ? I[] : T[K] };

/** Reads all tables of one database, by name. */
export async function readTables(
  connection: CaptureConnection,
  database: string,
  {
    current,
    isMariaDb,
    mode,
  }: { readonly current: string; readonly isMariaDb: boolean; readonly mode: TokenMode },
): Promise<ReadonlyMap<string, MysqlTable>> {
  const ask = async (sql: string, ...params: string[]): Promise<Row[]> =>
    (await connection.query(sql, params)).map((row) => row.map(text));
  const columns = groupBy(await ask(COLUMNS, database));
  const keys = groupBy(await ask(KEYS, database));
  const triggers = groupBy(await ask(TRIGGERS, database));
  const { outgoing, incoming } = readReferences(await ask(REFERENCES, database, database));
  const checks = isMariaDb ? await ask(JSON_CHECKS, database) : [];
  const isJson = new Set(
    checks.map(([table = '', clause = '']) => `${table} ${/`([^`]*)`/.exec(clause)?.[1] ?? ''}`),
  );
  const tables = new Map<string, MysqlTable>();
  for (const [name = '', type = '', engine = '', transactions = ''] of await ask(TABLES, database)) {
    const id = idOf(database, name);
    const own = (columns.get(name) ?? []).map((row) =>
      readColumn(row, isJson.has(`${name} ${row[1] ?? ''}`)),
    );
    const unique = readKeys(keys.get(name) ?? []);
    tables.set(name, {
      id,
      name: { schema: database === current ? null : database, name },
      sqlName: `${quoteIdentifier(database)}.${quoteIdentifier(name)}`,
      columns: own,
      key: unique.primary ?? unique.whole ?? [],
      references: [...outgoing].flatMap(([key, reference]) => (key.startsWith(`${id} `) ? [reference] : [])),
      kind: type === 'BASE TABLE' || type === 'SYSTEM VERSIONED' ? 'table' : 'view',
      isTransactional: transactions === 'YES',
      engine,
      uniqueKeys: unique.all,
      hasHiddenUniqueKey: unique.isHidden,
      triggers: (triggers.get(name) ?? []).map((row) => readTrigger(row, mode)),
      referencedBy: [...incoming].flatMap(([key, reference]) =>
        key.startsWith(`${id} `) ? [reference] : [],
      ),
    });
  }
  return tables;
}

export function idOf(database: string, name: string): string {
  return JSON.stringify([database, name]);
}

function text(value: unknown): string {
  if (value === null || value === undefined) return '';
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value);
}

function groupBy(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row[0] ?? '');
    if (group === undefined) groups.set(row[0] ?? '', [row]);
    else group.push(row);
  }
  return groups;
}

function readColumn(row: Row, isJson: boolean): MysqlColumn {
  const [, name = '', columnType = '', dataType = '', extra = '', generated = '', , privileges = ''] = row;
  const form = formOf(dataType.toLowerCase(), columnType.toLowerCase());
  return {
    name,
    declaredType: isJson ? 'json' : columnType,
    isReadable: privileges === '' || /select/i.test(privileges),
    form,
    isGenerated: generated !== '' || /\bGENERATED\b(?<!DEFAULT_GENERATED)/i.test(extra),
    isAutoIncrement: /auto_increment/i.test(extra),
    isLong: /^(?:medium|long)(?:text|blob)$|^json$|^vector$/i.test(dataType),
    // An invalid member, a date of zeros or an instant told twice in a zone can not be set again.
    isSafe:
      form !== 'instant' && form !== 'temporal' && !/^(?:enum|set|json|bit)$/i.test(dataType) && !isJson,
  };
}

const TEXTS = /^(?:char|varchar|tinytext|text|mediumtext|longtext|enum|set|json|uuid|inet4|inet6)$/;

function formOf(dataType: string, columnType: string): ColumnForm {
  if (/^(?:tinyint|smallint|mediumint|int|bigint|year)$/.test(dataType)) return 'integer';
  if (dataType === 'bit') return columnType === 'bit(1)' ? 'integer' : 'bytes';
  if (dataType === 'decimal') return 'decimal';
  if (dataType === 'float') return 'single';
  if (dataType === 'double') return 'double';
  if (dataType === 'timestamp') return 'instant';
  if (/^(?:date|datetime|time)$/.test(dataType)) return 'temporal';
  return TEXTS.test(dataType) ? 'text' : 'bytes';
}

function readKeys(rows: readonly Row[]): {
  readonly primary?: readonly string[];
  readonly whole?: readonly string[];
  readonly all: readonly (readonly string[])[];
  readonly isHidden: boolean;
} {
  const byName = new Map<string, { columns: string[]; isWhole: boolean; isNullable: boolean }>();
  for (const [, index = '', column = '', part = '', nullable = ''] of rows) {
    const key = byName.get(index) ?? { columns: [], isWhole: true, isNullable: false };
    key.columns.push(column);
    if (column === '' || part !== '') key.isWhole = false;
    if (nullable === 'YES') key.isNullable = true;
    byName.set(index, key);
  }
  const primary = byName.get('PRIMARY');
  const keys = [...byName.values()];
  const whole = keys.find(({ isWhole, isNullable }) => isWhole && !isNullable)?.columns;
  return {
    ...(primary?.isWhole === true ? { primary: primary.columns } : {}),
    ...(whole === undefined ? {} : { whole }),
    all: keys.filter(({ isWhole }) => isWhole).map(({ columns }) => columns),
    isHidden: keys.some(({ isWhole }) => !isWhole),
  };
}

function readTrigger([, name = '', timing = '', event = '', body = '']: Row, mode: TokenMode): MysqlTrigger {
  return {
    name,
    timing: timing === 'BEFORE' ? 'before' : 'after',
    event: event === 'INSERT' ? 'insert' : event === 'UPDATE' ? 'update' : 'delete',
    mayWrite: mayWriteRows(body, mode),
  };
}

function readReferences(rows: readonly Row[]): References {
  const outgoing: References['outgoing'] = new Map();
  const incoming: References['incoming'] = new Map();
  for (const [
    schema = '',
    table = '',
    ownSchema = '',
    own = '',
    name = '',
    column = '',
    referenced = '',
    onDelete = '',
    onUpdate = '',
  ] of rows) {
    const ownId = idOf(ownSchema, own);
    const away = outgoing.get(`${ownId} ${name}`) ?? { columns: [], table };
    away.columns.push(column);
    outgoing.set(`${ownId} ${name}`, away);
    const id = `${idOf(schema, table)} ${ownId} ${name}`;
    const reference = incoming.get(id) ?? {
      table: ownId,
      columns: [],
      referenced: [],
      onDelete: actionOf(onDelete),
      onUpdate: actionOf(onUpdate),
    };
    reference.columns.push(column);
    reference.referenced.push(referenced);
    incoming.set(id, reference);
  }
  return { outgoing, incoming };
}

function actionOf(rule: string): MysqlAction {
  if (rule === 'CASCADE') return 'cascade';
  return rule === 'SET NULL' ? 'set null' : 'restrict';
}
