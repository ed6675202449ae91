import type { CaptureConnection } from '../dialect.js';
import type { PostgresTable } from './postgres-table.js';
import { readTable } from './read-table.js';
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
 * An SQL expression of type text that tells apart what a name without a schema means and what a role may do: whether the
 * session has temporary objects, the search path that is in force, and the role. `f{public}alice`.
 */
export const SCOPE_EXPRESSION =
  'pg_catalog.concat(pg_catalog.pg_my_temp_schema() <> 0, pg_catalog.current_schemas(false), current_user)';

/** Beyond so many names or tables all are read anew: a process may see many roles, search paths and temporary tables. */
const MAX_KNOWN = 10_000;

/** The tables of one database as they were last read, shared by all connections to it. */
export class PostgresCatalogue {
  /** Oids by name, and by scope where the name has no schema. */
  readonly #oids = new Map<string, string>();
  /** By oid and role. */
  readonly #tables = new Map<string, Known>();

  /**
   * One query where the table is not known yet, one more where no scope is given, and one more for a name without a schema
   * where the session has temporary objects. What is known may be out of date:
   * a statement that relies on it carries `fingerprintExpression` and `SCOPE_EXPRESSION` and compares. None of the queries
   * fails where the transaction is not aborted already.
   *
   * @param schema null: the first in the search path that has a relation of that name, as the database finds it
   * @param scope what `SCOPE_EXPRESSION` gives on that connection. @default read
   * @param isUtf8 false: the database may have no form for the name
   * @returns undefined where there is no such relation
   */
  async find(
    connection: CaptureConnection,
    schema: string | null,
    name: string,
    scope?: string,
    isUtf8 = true,
  ): Promise<PostgresTable | undefined> {
    const where = scope ?? (await this.readScope(connection));
    const condition: TableCondition =
      schema === null ? { kind: 'visible', name, isUtf8 } : { kind: 'qualified', schema, name, isUtf8 };
    if (mayBeTemporary(schema, where)) {
      const resolved = await resolve(connection, condition);
      return resolved === undefined ? undefined : this.byOid(connection, resolved, where);
    }
    const key = JSON.stringify([schema ?? where, schema === null, name]);
    const oid = this.#oids.get(key);
    const known = oid === undefined ? undefined : this.#tables.get(tableKey(oid, where));
    if (known !== undefined) return known.table;
    const found = await this.#read(connection, condition);
    if (found !== undefined && found.scope === where) {
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

const BEFORE_ROLE = /^[tf]\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}/s;

function tableKey(oid: string, scope: string): string {
  return `${oid} ${scope.replace(BEFORE_ROLE, '')}`;
}

/** A temporary table that is made later hides another one of its name. */
function mayBeTemporary(schema: string | null, scope: string): boolean {
  return schema === null ? scope.startsWith('t') : schema.startsWith('pg_temp');
}

async function resolve(
  connection: CaptureConnection,
  condition: TableCondition,
): Promise<string | undefined> {
  const { sql, params } = conditionOf(condition);
  const [row] = await connection.query(
    `SELECT c.oid::text AS oid FROM pg_catalog.pg_class c WHERE ${sql}`,
    params,
  );
  return typeof row?.[0] === 'string' ? row[0] : undefined;
}
