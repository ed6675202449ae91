import type { TableName } from '../dialect.js';

/** A name as PostgreSQL reads it back unchanged, whatever is in it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table's name with its schema, where it has one. */
export function quoteTable({ schema, name }: TableName): string {
  return schema === null ? quoteIdentifier(name) : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}
