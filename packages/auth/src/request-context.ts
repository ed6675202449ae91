import { randomUUID } from 'node:crypto';
import { readRequest, tryGetContext } from '@indelible/context';
import type { EventContext } from '@indelible/core';

const made = new WeakMap<object, string>();

/** The context of a request that no middleware has opened a scope for. Its events share one request id. */
export function requestContext(req: object): EventContext {
  const read = readRequest(req);
  if (read.requestId !== undefined || tryGetContext()?.requestId !== undefined) return read;
  const requestId = made.get(req) ?? randomUUID();
  made.set(req, requestId);
  return { ...read, requestId };
}
