export type { BareConnection } from './bare-connection.js';
export {
  type CaptureEngine,
  type CaptureEngineOptions,
  createCaptureEngine,
  type StatementNeed,
} from './capture-engine.js';
export type { CaptureOptions, ModelCaptureOptions } from './capture-options.js';
export type { CaptureTransaction } from './capture-transaction.js';
export {
  type CaptureConnection,
  type CaptureDialect,
  type EngineRows,
  type ExecuteAs,
  HeldStatementFailed,
  OutdatedCapture,
  type Rewritten,
  type SqlValue,
  type StatementAnswer,
  type TableName,
} from './dialect.js';
export { cutRows } from './drivers/cut-rows.js';
export { HoldingClient, type PgQueryClass } from './drivers/holding-client.js';
export { steerMariadb } from './drivers/mariadb-client.js';
export { steerMysql2 } from './drivers/mysql2-client.js';
export { type AnswerPg, type PgRunnable, type PgStatement, steerPgClient } from './drivers/pg-client.js';
export { PreparedNames } from './drivers/prepared-names.js';
export { readProperty } from './drivers/read-property.js';
export { noteSteered, type SteeredClient, tryGetSteered } from './drivers/steered-clients.js';
export { tryHold } from './drivers/try-hold.js';
export { errorText, letGoOfFrames } from './error-text.js';
export { joinThrough, takeJoin } from './joined-events.js';
export {
  type FieldNaming,
  type FieldType,
  type ModelNaming,
  type NameModel,
  typeFromDeclaration,
} from './model-naming.js';
export { createMysqlDialect } from './mysql/mysql-dialect.js';
export { callersCount, cutParts, isCallersRow, type StatementForm } from './part-rows.js';
export { createPostgresDialect } from './postgres/postgres-dialect.js';
export { type NamedTable, RawReads } from './reads/raw-reads.js';
export { ReadCollector } from './reads/read-collector.js';
export { idOfRow, type ShownRows } from './reads/shown-rows.js';
export { findModules, loadModule } from './register/find-modules.js';
export {
  createRegisteredAudit,
  type RegisteredAudit,
  type RegisterSettings,
  readRegisterSettings,
} from './register/registered-audit.js';
export { createSqliteDialect } from './sqlite/sqlite-dialect.js';
export { announceLibrary, getSqliteFile, type SqliteLibrary } from './sqlite/sqlite-file.js';
export type { RunStatement, SteeredConnection } from './steered-connection.js';
export { foldName } from './tokenize.js';
