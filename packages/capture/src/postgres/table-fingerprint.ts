/**
 * One number for one version of one row: `ctid` tells two versions apart that one transaction wrote. A row that VACUUM
 * FULL has moved counts as another one.
 */
const VERSION = 'pg_catalog.hashtidextended(ctid, xmin::pg_catalog.text::pg_catalog.int8)';

/**
 * A scalar subquery that gives the `fingerprint` of a table as text; NULL where the table is gone. It names no column of
 * the statement around it, and shows the table as of the snapshot of the transaction.
 *
 * @param oid decimal, or an expression
 */
export function fingerprintExpression(oid: string): string {
  return `(SELECT pg_catalog.bit_xor(${VERSION})::pg_catalog.text FROM pg_catalog.pg_attribute WHERE attrelid = ${oid})`;
}

/**
 * A scalar expression that is true if a table has a column that the snapshot of the transaction does not show: queries see
 * the catalogue as of that snapshot, has_column_privilege as of now, and gives NULL where there is no such column.
 *
 * @param oid decimal, or an expression
 */
export function behindExpression(oid: string): string {
  return `(SELECT pg_catalog.has_column_privilege(${oid}, (pg_catalog.max(attnum) + 1)::pg_catalog.int2, 'SELECT') IS NOT NULL
    FROM pg_catalog.pg_attribute WHERE attrelid = ${oid})`;
}

/**
 * A scalar expression that gives the `effects` of a table as text. It names no column of the statement around it.
 *
 * @param oid decimal, or an expression
 */
export function effectsExpression(oid: string): string {
  return `pg_catalog.concat((SELECT ${VERSION} FROM pg_catalog.pg_class WHERE oid = ${oid}), ' ', ${triggersExpression(oid)})`;
}

/**
 * The same that changes with the triggers of a table alone.
 *
 * @param oid decimal, or an expression
 */
export function triggersExpression(oid: string): string {
  return `(SELECT pg_catalog.bit_xor(${VERSION})::pg_catalog.text FROM pg_catalog.pg_trigger WHERE tgrelid = ${oid})`;
}

/**
 * The same that changes whenever one of the functions is replaced.
 *
 * @param condition on `oid`
 */
export function functionsExpression(condition: string): string {
  return `(SELECT pg_catalog.bit_xor(${VERSION})::pg_catalog.text FROM pg_catalog.pg_proc WHERE ${condition})`;
}

/**
 * A scalar subquery that gives the sum of the sources of the functions of the triggers that stand in a schema: `RECORDER_SUMS`
 * has those that were shipped.
 *
 * @param schema the oid of the schema, an expression
 */
export function functionsSumExpression(schema: string): string {
  return `(SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat(f.proname, ' ', f.prosrc), '' ORDER BY f.proname COLLATE "C", f.prosrc COLLATE "C"))
    FROM pg_catalog.pg_proc f WHERE f.pronamespace = ${schema} AND pg_catalog.starts_with(f.proname, 'audit_trigger_'))`;
}
