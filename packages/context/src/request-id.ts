import { createUuidV7 } from '@indelible/core';

const WELL_FORMED = /^[A-Za-z0-9._-]{1,128}$/;

/** True for an id that may be taken over from a request: 1 to 128 of `A-Z a-z 0-9 . _ -`, nothing that a log could trip over. */
export function isRequestId(value: unknown): value is string {
  return typeof value === 'string' && WELL_FORMED.test(value);
}

/**
 * The incoming id where it is well-formed, else a fresh UUID (RFC 9562, version 7). Ids that rise with time stand side by
 * side in the store's index; random ones would double what an append costs.
 */
export function requestIdFrom(incoming: unknown): string {
  return isRequestId(incoming) ? incoming : createUuidV7();
}
