import './request-augmentation.js';

export type {
  ActionResource,
  MaybeActor,
  RecordChoice,
  RequestActor,
  RequestAudit,
} from '@indelible/context';
export { type AuditActionOptions, auditAction } from './audit-action.js';
export { type AuditContextOptions, auditContext } from './audit-context.js';
