export type { CaptureOptions, ModelCaptureOptions } from '@indelible/capture';
export { type AuditAdapterOptions, auditAdapter } from './audit-adapter.js';
export {
  type AuditExtension,
  type AuditExtensionOptions,
  auditExtension,
  createAuditExtension,
} from './audit-extension.js';
export type {
  SqlAdapter,
  SqlAdapterFactory,
  SqlQuery,
  SqlQueryable,
  SqlResultSet,
  SqlTransaction,
} from './driver-adapter.js';
