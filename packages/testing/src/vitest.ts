export type {} from 'vitest';

import type { AuditMatchers } from './matchers.js';

export { auditMatchers } from './matchers.js';

declare module 'vitest' {
  // Every declaration of an interface has to name the same parameters.
  interface Matchers<T> extends AuditMatchers {}
}
