/**
 * The parts of Prisma's driver-adapter interface that auditing stands between, structurally, so that no version of
 * `@prisma/driver-adapter-utils` is forced on anybody.
 */
export interface SqlQuery {
  sql: string;
  args: unknown[];
  argTypes: unknown[];
}

export interface SqlResultSet {
  columnNames: string[];
  columnTypes: number[];
  rows: unknown[][];
  lastInsertId?: string;
}

export interface SqlQueryable {
  readonly provider: string;
  readonly adapterName: string;
  queryRaw(query: SqlQuery): Promise<SqlResultSet>;
  executeRaw(query: SqlQuery): Promise<number>;
}

export interface SqlTransaction extends SqlQueryable {
  readonly options: { usePhantomQuery: boolean };
  commit(): Promise<void>;
  rollback(): Promise<void>;
  createSavepoint?(name: string): Promise<void>;
  rollbackToSavepoint?(name: string): Promise<void>;
  releaseSavepoint?(name: string): Promise<void>;
}

export interface SqlAdapter extends SqlQueryable {
  executeScript(script: string): Promise<void>;
  startTransaction(isolationLevel?: string): Promise<SqlTransaction>;
  getConnectionInfo?(): unknown;
  underlyingDriver?(): unknown;
  dispose(): Promise<void>;
}

/** What `new PrismaClient({ adapter })` takes. */
export interface SqlAdapterFactory {
  readonly provider: string;
  readonly adapterName: string;
  connect(): Promise<SqlAdapter>;
}
