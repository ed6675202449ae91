/** As drivers make rows: of several columns of one name the last one counts. */
export function toObject(names: readonly string[], row: readonly unknown[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  names.forEach((name, position) => {
    object[name] = row[position];
  });
  return object;
}

/** How long a statement's values are altogether, in characters or bytes, roughly. */
export function lengthOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  return Array.isArray(value) ? value.reduce((sum: number, item) => sum + lengthOf(item), value.length) : 8;
}
