import type { JsonObject, JsonValue } from '@indelible/core';

/**
 * The event in these stored bytes as plain JSON, or undefined if they are not a JSON object. Nothing more is assumed of
 * it: what is shown may have been tampered with.
 */
export function tryParseBody(body: Uint8Array): JsonObject | undefined {
  try {
    return asObject(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)));
  } catch {
    return undefined;
  }
}

export function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

export function asText(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
