export * from './better-sqlite3-driver.js';
export type { DriverChoice } from './choose-driver.js';
export type { Synchronous } from './connection.js';
export * from './driver.js';
export { announceLibrary } from './library-registry.js';
export * from './libsql-driver.js';
export { createNodeSqliteDriver } from './node-sqlite-driver.js';
export * from './open-store.js';
export * from './sqlite-store.js';
