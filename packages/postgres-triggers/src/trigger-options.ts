import { AuditError } from '@indelible/core';

/** How the triggers tell one table. */
export interface TableOptions {
  /** The resource type of its events: the model's name, say. @default the table's name, behind its schema where that is not `public` */
  readonly name?: string;
  /** What events call a column. @default the column's name */
  readonly fields?: Readonly<Record<string, string>>;
  /** Its rows are links of a many-to-many relation. @default false */
  readonly link?: boolean;
  /** The column whose setting is a soft delete; false: none. @default `deletedAt` or `deleted_at` where there is one */
  readonly softDelete?: string | false;
}

export interface InstallOptions {
  /** Tables by name, `schema.table` where the schema is not `schema`; 'all': every table of the schema. */
  readonly tables: readonly string[] | 'all';
  /** Of the tables. @default 'public' */
  readonly schema?: string;
  /** Columns of which nothing is recorded, `column` or `table.column`. An update of nothing else has no event. */
  readonly exclude?: readonly string[];
  /** Columns whose values are masked beside those with secret names, `column` or `table.column`: that they changed still shows. */
  readonly mask?: readonly string[];
  /** Columns with secret names that are recorded as they are, `column` or `table.column`. */
  readonly allow?: readonly string[];
  /** By table, as in `tables`. */
  readonly models?: Readonly<Record<string, TableOptions>>;
  /** An update's `before` and `after` hold the changed fields, or the full row. @default 'changed' */
  readonly snapshot?: 'changed' | 'full';
  /** The log of the events, as the audit's `origin`; a tenant's is below it. @default 'audit' */
  readonly origin?: string;
  /** The schema of the audit tables. @default 'audit' */
  readonly auditSchema?: string;
}

/** The options of one table, as `audit_trigger_install` takes them. */
export interface TableConfig {
  readonly name: string;
  readonly action: string;
  readonly origin: string;
  readonly exclude: readonly string[];
  readonly mask: readonly string[];
  readonly secret: readonly string[];
  readonly fields: Readonly<Record<string, string>>;
  readonly link: boolean;
  readonly softDelete: string | null;
  readonly snapshot: 'changed' | 'full';
  readonly secretPattern: string;
}

const SOFT_DELETE_COLUMNS = ['deletedAt', 'deleted_at'];
const MAX_ACTION = 90;

export interface FoundTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
}

/** @param isSecret judges the name of a column */
export function configureTable(
  table: FoundTable,
  options: InstallOptions,
  judge: { readonly isSecret: (name: string) => boolean; readonly pattern: string },
): TableConfig {
  const { schema = 'public', origin = 'audit', snapshot = 'changed' } = options;
  const own = options.models?.[`${table.schema}.${table.name}`] ?? options.models?.[table.name] ?? {};
  const listed = (list: readonly string[] | undefined): readonly string[] =>
    table.columns.filter((column) =>
      (list ?? []).some((entry) => entry === column || entry === `${table.name}.${column}`),
    );
  const exclude = listed(options.exclude);
  const allow = new Set(listed(options.allow));
  const name = own.name ?? (table.schema === schema ? table.name : `${table.schema}.${table.name}`);
  const soft =
    own.softDelete === undefined
      ? SOFT_DELETE_COLUMNS.find((column) => table.columns.includes(column))
      : own.softDelete;
  const fields = own.fields ?? {};
  return {
    name,
    action: snakeCase(name),
    origin,
    exclude,
    mask: listed(options.mask),
    // Either name may be the telling one.
    secret: table.columns.filter(
      (column) => !allow.has(column) && (judge.isSecret(column) || judge.isSecret(fields[column] ?? column)),
    ),
    fields,
    link: own.link ?? false,
    softDelete: soft === undefined || soft === false || exclude.includes(soft) ? null : soft,
    snapshot,
    secretPattern: judge.pattern,
  };
}

/** @throws AuditError `AUDIT_CONFIG_INVALID` names what no table has */
export function checkColumns(options: InstallOptions, tables: readonly FoundTable[]): void {
  for (const option of ['exclude', 'mask', 'allow'] as const) {
    for (const entry of options[option] ?? []) {
      const isThere = tables.some(({ name, columns }) =>
        columns.some((column) => entry === column || entry === `${name}.${column}`),
      );
      if (!isThere) throw invalid(`${option}: no table has the column ${JSON.stringify(entry)}`);
    }
  }
}

export function invalid(detail: string): AuditError {
  return new AuditError('AUDIT_CONFIG_INVALID', 'postgres-triggers', detail);
}

/** As the ORM packages name actions: `PatientRecord` → `patient_record`. */
function snakeCase(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  return words === '' ? 'table' : Array.from(words).slice(0, MAX_ACTION).join('');
}
