import { bytesDigest, startOfText } from '@indelible/core';
import type { StoredValue } from './dialect.js';
import type { FieldType } from './model-naming.js';

/**
 * The value of a field as an event tells it: what was stored, in the type that the ORM gives the field. Two stored forms
 * of one value (an instant in two zones, `1.0` and `1`) become the same value. A stored value that does not fit its type
 * is told as it is. A list's type is that of its items.
 */
export function fieldValue(stored: StoredValue, type: FieldType): unknown {
  if (stored.type === 'null') return null;
  if (stored.type === 'bytes') return stored.bytes;
  if (stored.type === 'list') return stored.items.map((item) => fieldValue(item, type));
  if (stored.type === 'digest') return bytesDigest(stored.length, stored.sha256);
  if (stored.type === 'start') return startOfText(stored.text, stored.length);
  const { text } = stored;
  switch (type) {
    case 'boolean':
      if (stored.type === 'text') return text === 'true' ? true : text === 'false' ? false : text;
      return text === '1' || text === '1.0'
        ? true
        : text === '0' || text === '0.0'
          ? false
          : numberOf(stored);
    case 'int':
    case 'float':
      return stored.type === 'text' ? text : numberOf(stored);
    case 'bigint':
      return stored.type === 'real' ? plainDecimal(text) : text;
    case 'decimal':
      return plainDecimal(text);
    case 'datetime':
      return instant(stored.type, text);
    case 'json':
      return stored.type === 'text' ? parsedJson(text) : numberOf(stored);
    case 'string':
    case 'bytes':
      return text;
  }
}

function numberOf(stored: {
  readonly type: 'integer' | 'real' | 'text';
  readonly text: string;
}): number | string {
  if (stored.type === 'text') return stored.text;
  const number = stored.text === 'Inf' ? Infinity : stored.text === '-Inf' ? -Infinity : Number(stored.text);
  if (stored.type === 'integer' && !Number.isSafeInteger(number)) return stored.text;
  return number;
}

const DECIMAL = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?$/;

/** A decimal without leading and trailing zeros and without an exponent; other text is returned as it is. */
function plainDecimal(text: string): string {
  const parts = DECIMAL.exec(text);
  if (parts === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  let digits = whole + fraction;
  if (digits === '') return text;
  let point = whole.length + Number(exponent);
  if (point < 0) {
    digits = '0'.repeat(-point) + digits;
    point = 0;
  }
  digits = digits.padEnd(point, '0');
  const integer = withoutZeros(digits.slice(0, point), 'leading') || '0';
  const rest = withoutZeros(digits.slice(point), 'trailing');
  const value = rest === '' ? integer : `${integer}.${rest}`;
  return sign === '-' && value !== '0' ? `-${value}` : value;
}

/** A regular expression would take the square of the length where the zeros are followed by something else. */
function withoutZeros(digits: string, side: 'leading' | 'trailing'): string {
  let start = 0;
  let end = digits.length;
  if (side === 'leading') while (digits.charAt(start) === '0') start += 1;
  else while (digits.charAt(end - 1) === '0') end -= 1;
  return digits.slice(start, end);
}

const INSTANT =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?\s*(Z|[+-]\d{2}(?::?\d{2}(?::\d{2})?)?)?$/i;

/** As ORMs write it and PostgreSQL tells it, several times a row. */
const UTC_INSTANT =
  /^(\d{4}-\d{2}-\d{2})[T ]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,3}))?(?:Z|\+00(?::00)?)?$/;

/** ISO 8601 in UTC, with as many fractional digits as were stored (at least three). Text without a zone is UTC. */
function instant(kind: 'integer' | 'real' | 'text', text: string): string | number {
  if (kind !== 'text') {
    const date = new Date(Number(text));
    return Number.isNaN(date.getTime()) ? text : date.toISOString();
  }
  const plain = UTC_INSTANT.exec(text);
  if (plain?.[1] !== undefined && isDay(plain[1])) {
    return `${plain[1]}T${plain[2]}.${(plain[3] ?? '').padEnd(3, '0')}Z`;
  }
  const parts = INSTANT.exec(text);
  if (parts === null) return text;
  const [, day = '', time, fraction = '', zone = 'Z'] = parts;
  const date = new Date(Date.parse(`${day}T${time}Z`) - offsetOf(zone));
  if (Number.isNaN(date.getTime()) || !isDay(day)) return text;
  const digits = fraction.replace(/0+$/, '').padEnd(3, '0');
  return date.toISOString().replace(/\.\d+Z$/, `.${digits}Z`);
}

const OFFSET = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d)(?::([0-5]\d))?)?$/;

/** In milliseconds, NaN where there is no such offset. Local mean times, in force a hundred years ago, have seconds too. */
function offsetOf(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const [, sign, hours, minutes = '0', seconds = '0'] = OFFSET.exec(zone) ?? [];
  const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -offset : offset;
}

let lastDay = '';

/** JavaScript takes the 30th of February for the first of March. Rows of one statement often share their day. */
function isDay(day: string): boolean {
  if (day === lastDay) return true;
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || !date.toISOString().startsWith(`${day}T`)) return false;
  lastDay = day;
  return true;
}

const LONG_NUMBER = /[0-9.]{16}|[0-9][eE]/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.]*(?:[eE][+-]?[0-9]+)?/g;

/** Numbers that JavaScript would round become text, as long integers and decimals do elsewhere. */
function parsedJson(text: string): unknown {
  try {
    const parsed = JSON.parse(text) as unknown;
    if (!LONG_NUMBER.test(text)) return parsed;
    return JSON.parse(
      text.replace(STRING_OR_NUMBER, (part) => (isRounded(part) ? `"${part}"` : part)),
    ) as unknown;
  } catch {
    return text;
  }
}

function isRounded(part: string): boolean {
  if (part.startsWith('"')) return false;
  const number = Number(part);
  return !Number.isFinite(number) || plainDecimal(String(number)) !== plainDecimal(part);
}
