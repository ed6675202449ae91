import type { CaptureConnection } from '../dialect.js';
import type { PostgresTable } from './postgres-table.js';
import { readTable } from './read-table.js';
import { parseArray } from './record-text.js';
import { conditionOf, type TableCondition, tableQuery } from './table-query.js';

export type {
  PostgresColumn,
  PostgresReference,
  PostgresTable,
  PostgresTrigger,
  ReferentialAction,
  RelationKind,
  TriggerEvent,
  ValueFormat,
} from './postgres-table.js';
export { quoteIdentifier } from './quote-identifier.js';
export { effectsExpression, fingerprintExpression } from './table-fingerprint.js';

/**
 * An SQL expression of type text that tells apart what a name without a schema means and what a role may do: the role and
 * the search path that is in force.
 */
export const SCOPE_EXPRESSION = '(ARRAY[current_user] || pg_catalog.current_schemas(true))::text';

/** Beyond so many names or tables all are read anew: a process may see many roles, search paths and temporary tables. */
const MAX_KNOWN = 10_000;

/** The tables of one database as they were last read, shared by all connections to it. */
export class PostgresCatalogue {
  /** Oids by name, and by scope where the name has no schema. */
  readonly #oids = new Map<string, string>();
  /** By oid and role. */
  readonly #tables = new Map<string, Known>();

  /**
   * One query where the table is not known yet, and one more where no scope is given. What is known may be out of date:
   * a statement that relies on it carries `fingerprintExpression` and `SCOPE_EXPRESSION` and compares. None of the queries
   * fails where the transaction is not aborted already.
   *
   * @param schema null: the first in the search path that has a relation of that name, as the database finds it
   * @param scope what `SCOPE_EXPRESSION` gives on that connection. @default read
   * @returns undefined where there is no such relation
   */
  async find(
    connection: CaptureConnection,
    schema: string | null,
    name: string,
    scope?: string,
  ): Promise<PostgresTable | undefined> {
    const where = scope ?? (await this.readScope(connection));
    const key = JSON.stringify([schema ?? where, schema === null, name]);
    const oid = this.#oids.get(key);
    const known = oid === undefined ? undefined : this.#tables.get(tableKey(oid, where));
    if (known !== undefined) return known.table;
    const condition: TableCondition =
      schema === null ? { kind: 'visible', name } : { kind: 'qualified', schema, name };
    const found = await this.#read(connection, condition);
    if (found !== undefined && found.scope === where && !mayBeTemporary(schema ?? where)) {
      if (this.#oids.size >= MAX_KNOWN) this.#oids.clear();
      this.#oids.set(key, found.table.oid);
    }
    return found?.table;
  }

  /** @param scope what `SCOPE_EXPRESSION` gives on that connection. @default read */
  async byOid(
    connection: CaptureConnection,
    oid: string,
    scope?: string,
  ): Promise<PostgresTable | undefined> {
    const where = scope ?? (await this.readScope(connection));
    const known = this.#tables.get(tableKey(oid, where));
    return known?.table ?? (await this.#read(connection, { kind: 'oid', oid }))?.table;
  }

  async readScope(connection: CaptureConnection): Promise<string> {
    const [row] = await connection.query(`SELECT ${SCOPE_EXPRESSION} AS scope`);
    return String(row?.[0]);
  }

  /** Reads the table anew when it is asked for next, and finds its name anew; without an oid, all of them. */
  forget(oid?: string): void {
    for (const [key, known] of this.#oids) {
      if (oid === undefined || known === oid) this.#oids.delete(key);
    }
    for (const [key, { table }] of this.#tables) {
      if (oid === undefined || table.oid === oid) this.#tables.delete(key);
    }
  }

  /** @returns the scope in which it was read too: that of the connection may be another one than was said */
  async #read(
    connection: CaptureConnection,
    condition: TableCondition,
  ): Promise<{ readonly table: PostgresTable; readonly scope: string } | undefined> {
    const { sql, params } = conditionOf(condition);
    const [row] = await connection.query(tableQuery(sql, SCOPE_EXPRESSION), params);
    const [description, scope] = row ?? [];
    if (typeof description !== 'string' || typeof scope !== 'string') return undefined;
    const table = readTable(description);
    const key = tableKey(table.oid, scope);
    const known = this.#tables.get(key);
    // Events are named once for each object: the same table stays the same one.
    if (known?.description === description) return { table: known.table, scope };
    // What a transaction's old snapshot hides from it others see.
    if (table.isBehind) return { table, scope };
    if (this.#tables.size >= MAX_KNOWN) this.#tables.clear();
    this.#tables.set(key, { table, description });
    return { table, scope };
  }
}

interface Known {
  readonly table: PostgresTable;
  /** All that the catalogue said of it. */
  readonly description: string;
}

function tableKey(oid: string, scope: string): string {
  const [role] = parseArray(scope);
  return `${oid} ${String(role)}`;
}

/** A temporary table that is made later would hide another one of its name. */
function mayBeTemporary(schemaOrScope: string): boolean {
  return /\bpg_temp/.test(schemaOrScope);
}
