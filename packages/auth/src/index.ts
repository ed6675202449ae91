export { type IdentityMode, maskIdentity, normalizeIdentity } from './attempted-identity.js';
export { auditBetterAuth, type BetterAuthAuditPlugin } from './audit-better-auth.js';
export { auditPassport, type PassportOptions } from './audit-passport.js';
export type { AuthEventType, Severity } from './auth-event-type.js';
export {
  type AuthExtra,
  type AuthLoggerOptions,
  type AuthUser,
  createAuthLogger,
  type LogAuthEvent,
  logAuthEvent,
} from './auth-logger.js';
