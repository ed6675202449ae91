/**
 * One number for one version of one row: `ctid` tells two versions apart that one transaction wrote. A row that VACUUM
 * FULL has moved counts as another one.
 */
const VERSION = 'pg_catalog.hashtidextended(ctid, xmin::pg_catalog.text::pg_catalog.int8)';

/**
 * A scalar subquery that gives the `fingerprint` of a table as text. It names no column of the statement around it.
 *
 * @param oid decimal, or an expression
 */
export function fingerprintExpression(oid: string): string {
  // Queries see the catalogue as of the transaction's snapshot, has_column_privilege as of now: not NULL for the next
  // column means that there is one that the snapshot does not show.
  return `(SELECT pg_catalog.concat(pg_catalog.sum(${VERSION}),
    pg_catalog.has_column_privilege(${oid}, (pg_catalog.max(attnum) + 1)::pg_catalog.int2, 'SELECT'))
    FROM pg_catalog.pg_attribute WHERE attrelid = ${oid})`;
}

/** True if there is a column that the snapshot of the transaction did not show. */
export function isFingerprintBehind(fingerprint: string): boolean {
  return /[tf]$/.test(fingerprint);
}

/**
 * A scalar expression that gives the `effects` of a table as text. It names no column of the statement around it.
 *
 * @param oid decimal, or an expression
 */
export function effectsExpression(oid: string): string {
  return `pg_catalog.concat((SELECT ${VERSION} FROM pg_catalog.pg_class WHERE oid = ${oid}), ' ',
    (SELECT pg_catalog.sum(${VERSION}) FROM pg_catalog.pg_trigger WHERE tgrelid = ${oid}))`;
}
