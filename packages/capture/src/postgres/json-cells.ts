/** Reads parts of JSON that a query of ours has made; what is not as it was made is an error. */
export function cellText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`expected text of the catalogue, got ${typeof value}`);
}

/** `json_agg` over no rows is null. */
export function cellList(value: unknown): readonly unknown[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value;
  throw new TypeError(`expected a list of the catalogue, got ${typeof value}`);
}

export function cellTexts(value: unknown): readonly string[] {
  return cellList(value).map(cellText);
}

export function cellRows(value: unknown): readonly (readonly unknown[])[] {
  return cellList(value).map(cellList);
}
