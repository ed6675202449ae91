import './context-provider.js';

export { tryGetContext } from '@indelible/core';
export {
  bindContext,
  getContext,
  runForTenant,
  runInScope,
  runWithContext,
  tryGetScope,
  updateContext,
} from './audit-context.js';
export type { AuditScope, ContextPatch } from './audit-scope.js';
export { type BodyCaptureOptions, captureBody } from './body-capture.js';
export { type ActionResource, type RouteAction, recordAction } from './record-action.js';
export { openRequest, whenClosed } from './record-request.js';
export { ANONYMOUS, type RequestActor, readUser, toActor } from './request-actor.js';
export type { RequestAudit } from './request-audit.js';
export {
  endContext,
  outcomeOfEnd,
  outcomeOfStatus,
  type RequestEnd,
  requestDetails,
  requestEvent,
} from './request-event.js';
export { isRequestId, requestIdFrom } from './request-id.js';
export { readHeader, readIp, readPath, readQuery, readRequest, sessionDigest } from './request-reading.js';
export { type RequestRoute, readRoute } from './request-route.js';
export { RequestScope, tryGetRequestScope } from './request-scope.js';
export {
  type MaybeActor,
  type RecordChoice,
  type RequestOptions,
  type RequestSettings,
  requestSettings,
} from './request-settings.js';
export { parseTraceId } from './trace-parent.js';
export { type WithoutAuditOptions, withoutAudit } from './without-audit.js';
