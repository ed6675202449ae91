import type { RequestAudit } from '@indelible/context';
import type { RouteAudit } from './route-audit.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Put there by `auditContext`. */
    audit: RequestAudit;
  }
  interface FastifyContextConfig {
    /** What this route records when its response is over: the name of an action, or more about it. */
    audit?: string | RouteAudit;
  }
}
