import { tryGetRequestScope } from '@indelible/context';
import type { Request } from 'express';

/** `req.audit`, as a property that can be overwritten like any other. */
const PROPERTY: PropertyDescriptor & ThisType<Request> = {
  configurable: true,
  get() {
    return tryGetRequestScope(this);
  },
  set(value: unknown) {
    Object.defineProperty(this, 'audit', { configurable: true, enumerable: true, writable: true, value });
  },
};

/**
 * Makes `req.audit` readable, on the application's request prototype (`app.request`, which Express makes for that) and not on
 * each request: there one more property costs about two microseconds, as much as everything else that a context does.
 */
export function showAudit(req: Request): void {
  if ('audit' in req) return;
  const prototype: unknown = Object.getPrototypeOf(req);
  // Only an application's own prototype has an `app`; a request from elsewhere gets the property itself.
  const isOwn = typeof prototype === 'object' && prototype !== null && Object.hasOwn(prototype, 'app');
  Object.defineProperty(isOwn ? prototype : req, 'audit', PROPERTY);
}
