const SPECIAL = /["\\]/;
const EVERY_SPECIAL = /["\\]/g;

/**
 * The literal of a PostgreSQL array of texts, to be cast where it is used: `$1::text[]`. One text a column is one parameter for
 * any number of rows, and what an ORM passes through as it is.
 */
export function textArray<T>(items: readonly T[], read: (item: T) => string | null): string {
  let literal = '{';
  for (const item of items) {
    const text = read(item);
    if (literal.length > 1) literal += ',';
    if (text === null) literal += 'NULL';
    else literal += SPECIAL.test(text) ? `"${text.replace(EVERY_SPECIAL, '\\$&')}"` : `"${text}"`;
  }
  return `${literal}}`;
}

/** The literal of an array of what needs no quotes: numbers and UUIDs. */
export function plainArray<T>(items: readonly T[], read: (item: T) => string | number | bigint): string {
  return `{${items.map(read).join(',')}}`;
}
