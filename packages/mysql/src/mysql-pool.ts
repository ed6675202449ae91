/** What of a query the driver is given; mysql2 and mariadb take the same and pass over what is the other's. */
export interface MysqlQuery {
  readonly sql: string;
  readonly rowsAsArray: true;
}

/** A value of a prepared statement. */
export type MysqlValue = string | number | bigint | Uint8Array | null;

/** A pooled connection of mysql2 or mariadb, as far as the store uses it. */
export interface MysqlConnection {
  query(query: MysqlQuery): Promise<unknown>;
  execute(query: MysqlQuery, values: MysqlValue[]): Promise<unknown>;
  release(): unknown;
  destroy(): unknown;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  removeListener?(event: 'error', listener: (error: Error) => void): unknown;
}

/**
 * A pool with promises, by its form, so that any version fits: of mysql2 (`createPool` of `mysql2/promise`, or `.promise()`
 * of another) or of mariadb.
 */
export interface MysqlPool {
  getConnection(): Promise<MysqlConnection>;
  on?(event: 'connection' | 'acquire', listener: (connection: unknown) => void): unknown;
}
