import './request-augmentation.js';

export type { MaybeActor, RecordChoice, RequestActor, RequestAudit } from '@indelible/context';
export { type ActionResource, type AuditActionOptions, auditAction } from './audit-action.js';
export { type AuditContextOptions, auditContext } from './audit-context.js';
