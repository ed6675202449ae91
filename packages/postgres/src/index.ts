export * from './open-store.js';
export * from './pg-pool.js';
export * from './postgres-store.js';
export type { RoleNames } from './roles.js';
export { databaseNameSql } from './tables.js';
