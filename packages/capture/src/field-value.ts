import type { StoredValue } from './dialect.js';
import type { FieldType } from './model-naming.js';

/**
 * The value of a field as an event tells it: what was stored, in the type that the ORM gives the field. Two stored forms
 * of one value (an instant in two zones, `1.0` and `1`) become the same value. A stored value that does not fit its type
 * is told as it is.
 */
export function fieldValue(stored: StoredValue, type: FieldType): unknown {
  if (stored.type === 'null') return null;
  if (stored.type === 'bytes') return stored.bytes;
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

const DECIMAL = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?$/;

/** A decimal without leading and trailing zeros and without an exponent; other text is returned as it is. */
function plainDecimal(text: string): string {
  const parts = DECIMAL.exec(text);
  if (parts === null || text === '') return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const shift = Number(exponent);
  let digits = whole + fraction;
  let point = whole.length + shift;
  if (point < 0) {
    digits = '0'.repeat(-point) + digits;
    point = 0;
  }
  digits = digits.padEnd(point, '0');
  const integer = digits.slice(0, point).replace(/^0+(?=.)/, '') || '0';
  const rest = digits.slice(point).replace(/0+$/, '');
  const value = rest === '' ? integer : `${integer}.${rest}`;
  return sign === '-' && value !== '0' ? `-${value}` : value;
}

const INSTANT =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

/** ISO 8601 in UTC, with as many fractional digits as were stored (at least three). Text without a zone is UTC. */
function instant(kind: 'integer' | 'real' | 'text', text: string): string | number {
  if (kind !== 'text') {
    const date = new Date(Number(text));
    return Number.isNaN(date.getTime()) ? text : date.toISOString();
  }
  const parts = INSTANT.exec(text);
  if (parts === null) return text;
  const [, day, time, fraction = '', zone = 'Z'] = parts;
  const offset = /^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const date = new Date(`${day}T${time}${offset.toUpperCase()}`);
  if (Number.isNaN(date.getTime())) return text;
  const digits = fraction.replace(/0+$/, '').padEnd(3, '0');
  return date.toISOString().replace(/\.\d+Z$/, `.${digits}Z`);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
