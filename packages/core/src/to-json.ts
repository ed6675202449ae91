import type { JsonValue } from './event.js';

export interface ToJsonOptions {
  readonly maxBinaryBytes?: number;
}

export function toJson(value: unknown, options: ToJsonOptions = {}): JsonValue {
  throw new TypeError(`not written yet ${typeof value} ${typeof options}`);
}
