import { createHash } from 'node:crypto';
import { AuditError } from './audit-error.js';
import { EVENT_LIMITS } from './event-limits.js';
import type { Redactor } from './redactor.js';
import { cutText, isWellFormed, toWellFormed } from './well-formed.js';

/** So much more than the limit is read, because redaction makes texts shorter. */
const SLACK = 4_096;
/** What was cut in two may be half a secret. */
const HALF_SECRET = 256;

type Limited = keyof typeof EVENT_LIMITS;

/** @throws never: makes the error */
export function invalidEvent(field: string, takes: string): AuditError {
  return new AuditError('AUDIT_EVENT_INVALID', 'core', `the event's \`${field}\` takes ${takes}`);
}

/**
 * A text of an event: redacted, well-formed, cut to its limit. Undefined for what is absent, empty or removed.
 *
 * @throws AuditError `AUDIT_EVENT_INVALID` if it is no text
 */
export function plainText(
  redactor: Redactor,
  root: 'context' | 'actor' | 'event',
  field: string,
  value: unknown,
  limited: Limited,
): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string')
    throw invalidEvent(root === 'event' ? field : `${root}.${field}`, 'a string');
  const limit = EVENT_LIMITS[limited];
  if (value.length <= limit && isWellFormed(value)) return shorten(redactor.text(root, field, value), limit);
  const start = toWellFormed(cutText(value, limit + SLACK));
  const redacted = redactor.text(root, field, start);
  return shorten(start.length < value.length ? redacted?.slice(0, -HALF_SECRET) : redacted, limit);
}

/**
 * A text that identifies something: numbers become strings, and what is too long keeps a digest.
 *
 * @throws AuditError `AUDIT_EVENT_INVALID` if it is no text
 */
export function identifierText(
  redactor: Redactor,
  root: 'context' | 'actor' | 'resource',
  field: string,
  value: unknown,
  limited: Limited,
): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof text !== 'string') throw invalidEvent(`${root}.${field}`, 'a string');
  return shortenIdentifier(redactor.identifier(root, field, text), EVENT_LIMITS[limited]);
}

/** The identifier, or its beginning and its SHA-256 where it is too long or has no UTF-8 form. */
export function shortenIdentifier(text: string, limit: number): string {
  if (text.length <= limit && isWellFormed(text)) return text;
  const digest = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64url');
  return `${toWellFormed(cutText(text, Math.max(0, limit - digest.length - 1)))}…${digest}`;
}

function shorten(text: string | undefined, limit: number): string | undefined {
  return text === undefined || text.length <= limit ? text : `${cutText(text, limit - 1)}…`;
}
