export type { CaptureOptions, ModelCaptureOptions } from '@indelible/capture';
export { type AuditDataSourceOptions, auditDataSource } from './audit-data-source.js';
export { AuditSubscriber } from './audit-subscriber.js';
export { Audited, type AuditedOptions, NotAudited } from './audited.js';
