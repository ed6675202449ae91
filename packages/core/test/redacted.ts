import type { JsonObject, JsonValue } from '../src/event.js';
import type { RedactionOptions } from '../src/redaction.js';
import { createRedactor } from '../src/redactor.js';
import { toJson } from '../src/to-json.js';

export const KEY = new Uint8Array(32).fill(7);
export const MASKED = { $indelible: 'masked' };
export const CARD = '4111 1111 1111 1111';
export const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';

export function redact(value: Record<string, unknown>, options: RedactionOptions = {}): JsonObject {
  return createRedactor(options, KEY).redact(toJson(value) as JsonObject, 'details');
}

export function redactText(text: string, options: RedactionOptions = {}): JsonValue | undefined {
  return redact({ note: text }, options).note;
}

export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
