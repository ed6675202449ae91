export * from './check-triggers.js';
export {
  FUNCTIONS_VERSION,
  type InstalledTable,
  installTriggers,
  printTriggers,
  removeTriggers,
} from './install-triggers.js';
export * from './list-triggers.js';
export { withClient } from './open-client.js';
export type { PgClient } from './pg-client.js';
export * from './reconcile.js';
export * from './set-context.js';
export type { InstallOptions, TableOptions } from './trigger-options.js';
