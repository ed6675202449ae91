import type { CaptureConnection } from '../dialect.js';
import type { PostgresTable } from './postgres-table.js';

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
export { fingerprintExpression } from './table-fingerprint.js';

/**
 * An SQL expression of type text that tells apart what a name without a schema means and what a role may do: the role and
 * the search path that is in force.
 */
export const SCOPE_EXPRESSION = '(ARRAY[current_user] || current_schemas(true))::text';

/** The tables of one database as they were last read, shared by all connections to it. */
export class PostgresCatalogue {
  /**
   * One query where the table is not known yet, and one more where no scope is given. What is known may be out of date:
   * a statement that relies on it carries `fingerprintExpression` and `SCOPE_EXPRESSION` and compares.
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
    throw new TypeError(`${typeof connection} ${schema} ${name} ${scope}`);
  }

  async byOid(
    connection: CaptureConnection,
    oid: string,
    scope?: string,
  ): Promise<PostgresTable | undefined> {
    throw new TypeError(`${typeof connection} ${oid} ${scope}`);
  }

  async readScope(connection: CaptureConnection): Promise<string> {
    throw new TypeError(typeof connection);
  }

  /** Reads the table anew when it is asked for next; without an oid, all of them. */
  forget(oid?: string): void {
    throw new TypeError(oid);
  }
}
