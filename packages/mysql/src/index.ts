export * from './mysql-pool.js';
export * from './mysql-store.js';
export * from './open-store.js';
export type { RoleNames } from './roles.js';
export { databaseNameSql } from './tables.js';
