import type { ListedEvent, Verdict } from '@indelible/core';
import { isoMicroseconds } from './event-place.js';
import { tryParseBody } from './parse-body.js';

/** An event as `--json` prints it: its place in the log and its body; bytes that are no JSON object come as base64. */
export function eventJson(event: ListedEvent): Record<string, unknown> {
  const body = tryParseBody(event.body);
  return {
    id: event.id,
    log: event.log,
    index: event.index,
    sealedAt: event.sealedAt === null ? null : isoMicroseconds(event.sealedAt),
    leaf: Buffer.from(event.leaf).toString('hex'),
    ...(body === undefined ? { bodyBase64: Buffer.from(event.body).toString('base64') } : { event: body }),
  };
}

/** A verdict as `--json` prints it. */
export function verdictJson(verdict: Verdict): Record<string, unknown> {
  return { ...verdict, root: Buffer.from(verdict.root).toString('hex') };
}
