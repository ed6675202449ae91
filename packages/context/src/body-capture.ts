import { type JsonValue, toJson } from '@indelible/core';

export interface BodyCaptureOptions {
  /** Text beyond so many UTF-16 units in all is cut and marked. @default 16_384 */
  readonly maxLength?: number;
}

export const BODY_LENGTH = 16_384;
const MAX_NODES = 4_096;

/**
 * A parsed body as JSON within a limit; core redacts it. Of a body that was kept as bytes only the length is taken, since no
 * field in it can be redacted.
 *
 * @returns undefined where there is no body
 */
export function captureBody(body: unknown, maxLength = BODY_LENGTH): JsonValue | undefined {
  if (body === undefined || body === null || body === '') return undefined;
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return { bytes: body.byteLength };
  if (typeof body === 'object' && Object.keys(body).length === 0) return undefined;
  return toJson(body, { maxTextLength: maxLength, maxNodes: MAX_NODES });
}
