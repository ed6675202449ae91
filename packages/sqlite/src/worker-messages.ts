import { AuditError, type ErrorCode, type PortableCompute, type PreparedEvent } from '@indelible/core';
import type { LibraryName } from './choose-driver.js';
import type { Synchronous } from './connection.js';

/** What the worker is started with. */
export interface WorkerSettings {
  readonly path: string;
  readonly library: LibraryName;
  readonly synchronous: Synchronous;
}

export type WorkerCall =
  | { readonly kind: 'append'; readonly events: PackedEvents; readonly timeoutMs: number }
  | {
      readonly kind: 'seal';
      readonly log: string;
      readonly limit: number;
      readonly portable: PortableCompute;
    }
  | { readonly kind: 'close' };

export type WorkerRequest = WorkerCall & { readonly number: number };

/** Sent once, when the thread has loaded its modules. */
export const READY = 'ready';

export type WorkerReply =
  | typeof READY
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly failure: PackedError };

/** Events for another thread: their bytes in one buffer, which is handed over and not copied, and all else as one text. */
export interface PackedEvents {
  /** The body and the leaf of the first event, those of the second, … */
  readonly bytes: ArrayBuffer;
  /** JSON of one array an event: `[id, log, category, bytes of the body, bytes of the leaf, columns]`. */
  readonly texts: string;
}

type PackedText = [string, string, PreparedEvent['category'], number, number, PreparedEvent['columns']];

export function packEvents(events: readonly PreparedEvent[]): PackedEvents {
  let length = 0;
  for (const { body, leaf } of events) length += body.length + leaf.length;
  const bytes = new Uint8Array(new ArrayBuffer(length));
  let at = 0;
  const texts = events.map(({ id, log, category, body, leaf, columns }): PackedText => {
    bytes.set(body, at);
    bytes.set(leaf, at + body.length);
    at += body.length + leaf.length;
    return [id, log, category, body.length, leaf.length, columns];
  });
  return { bytes: bytes.buffer, texts: JSON.stringify(texts) };
}

export function unpackEvents({ bytes, texts }: PackedEvents): PreparedEvent[] {
  let at = 0;
  return (JSON.parse(texts) as PackedText[]).map(([id, log, category, bodyLength, leafLength, columns]) => {
    const body = new Uint8Array(bytes, at, bodyLength);
    const leaf = new Uint8Array(bytes, at + bodyLength, leafLength);
    at += bodyLength + leafLength;
    return { id, log, category, body, leaf, columns };
  });
}

/** Structured clone keeps an error's message and drops its code. */
export interface PackedError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly cause: string | undefined;
}

export function packError(error: unknown, code: ErrorCode | undefined): PackedError {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  return {
    code,
    message: error instanceof Error ? error.message : String(error),
    cause: cause === undefined ? undefined : String(cause),
  };
}

export function unpackError({ code, message, cause }: PackedError): Error {
  const options = cause === undefined ? {} : { cause: new Error(cause) };
  if (code === undefined) return new Error(message, options);
  const error = new AuditError(code, 'sqlite', message, options);
  error.message = message;
  return error;
}
