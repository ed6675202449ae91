/** What of a query node-postgres is given. */
export interface PgQuery {
  readonly text: string;
  readonly values?: unknown[];
  readonly rowMode?: 'array';
  readonly types?: { getTypeParser(typeId: number): (value: string) => unknown };
}

/** A connection of node-postgres, as far as the store uses it. */
export interface PgClient {
  query(query: PgQuery): Promise<unknown>;
  /** @param broken true: the connection is closed instead of being used again */
  release(broken?: boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** A pool of node-postgres (`new pg.Pool(…)`), by its form, so that any version of the library fits. */
export interface PgPool {
  connect(): Promise<PgClient>;
  /** The configuration that it was made with. */
  readonly options?: unknown;
}
