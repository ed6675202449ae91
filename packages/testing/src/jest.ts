export type {} from 'expect';

import type { AuditMatchers } from './matchers.js';

export { auditMatchers } from './matchers.js';

// `expect` of @jest/globals.
declare module 'expect' {
  // Every declaration of an interface has to name the same parameters.
  interface Matchers<R extends void | Promise<void>, T> extends AuditMatchers {}
}

// `expect` of @types/jest.
declare global {
  namespace jest {
    // Every declaration of an interface has to name the same parameters.
    interface Matchers<R, T> extends AuditMatchers {}
  }
}
