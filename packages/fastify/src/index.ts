import './fastify-augmentation.js';

export type {
  ActionResource,
  MaybeActor,
  RecordChoice,
  RequestActor,
  RequestAudit,
} from '@indelible/context';
export { type AuditContextOptions, auditContext } from './audit-context.js';
export type { RouteAudit } from './route-audit.js';
