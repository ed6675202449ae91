import { canonicalize, type JsonValue, toJson } from '@indelible/core';

/** Rows of one model that an ORM hands to its caller. */
export interface ShownRows {
  readonly model: string;
  /** The fields of its key. */
  readonly key: readonly string[];
  /** As `resource.id` of the changes of these rows. */
  readonly ids: readonly string[];
  /** Rows, or groups of rows, whose ids are not known. @default 0 */
  readonly unknown?: number;
  /** The text of raw SQL that names the table, without its values: nobody knows which rows it has shown. */
  readonly statement?: string;
}

/**
 * The id of a row by the values of its key, as the events of its changes have it: a single value as text, several as canonical
 * JSON by field. Undefined where a part of the key is missing.
 */
export function idOfRow(key: readonly string[], readField: (field: string) => unknown): string | undefined {
  const parts: [string, JsonValue][] = [];
  for (const field of key) {
    const value = readField(field);
    if (value === undefined || value === null) return undefined;
    parts.push([field, toJson(value)]);
  }
  const [first] = parts;
  if (first === undefined) return undefined;
  if (parts.length > 1) return canonicalize(Object.fromEntries(parts));
  return typeof first[1] === 'string' ? first[1] : canonicalize(first[1]);
}
