/**
 * A scalar subquery that gives the `fingerprint` of a table as text; NULL where the table is gone. It names no column of
 * the statement around it.
 *
 * @param oid decimal
 */
export function fingerprintExpression(oid: string): string {
  return `(SELECT sum(xmin::text::bigint)::text FROM pg_catalog.pg_attribute WHERE attrelid = ${oid})`;
}
