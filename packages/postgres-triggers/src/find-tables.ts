import { type PgClient, type Row, rowsOf } from './pg-client.js';
import { type FoundTable, type InstallOptions, invalid } from './trigger-options.js';

const OWN = /^_prisma_migrations$|^audit_(?:event|pending|entry|head|migration|tile|checkpoint|cursor|prune)/;

const TABLES = `SELECT n.nspname AS schema, c.relname AS name, c.relispartition AS "isPartition",
    (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'`;

/**
 * The tables that are meant. Partitions go with their table.
 *
 * @throws AuditError `AUDIT_CONFIG_INVALID` names a table that is not there
 */
export async function findTables(
  client: PgClient,
  { tables, schema = 'public' }: Pick<InstallOptions, 'tables' | 'schema'>,
  auditSchema: string,
): Promise<readonly FoundTable[]> {
  if (tables === 'all') {
    const rows = await rowsOf(client, `${TABLES} AND n.nspname = $1 AND NOT c.relispartition ORDER BY 2`, [
      schema,
    ]);
    return rows.map(readTable).filter(({ name }) => schema !== auditSchema && !OWN.test(name));
  }
  if (tables.length === 0) throw invalid('tables: name at least one, or pass "all"');
  const found: FoundTable[] = [];
  for (const entry of new Set(tables)) {
    const dot = entry.indexOf('.');
    const candidates = [[schema, entry] as const, [entry.slice(0, dot), entry.slice(dot + 1)] as const];
    const rows = (
      await Promise.all(
        candidates
          .slice(0, dot === -1 ? 1 : 2)
          .map((names) => rowsOf(client, `${TABLES} AND n.nspname = $1 AND c.relname = $2`, names)),
      )
    ).flat();
    const [row] = rows;
    if (row === undefined) throw invalid(`tables: there is no table ${JSON.stringify(entry)}`);
    const table = readTable(row);
    if (table.schema === auditSchema || OWN.test(table.name)) {
      throw invalid(`tables: ${JSON.stringify(entry)} is a table of the audit itself`);
    }
    if (row.isPartition === true) {
      throw invalid(`tables: ${JSON.stringify(entry)} is a partition; name the table that is partitioned`);
    }
    found.push(table);
  }
  return found;
}

function readTable({ schema, name, columns }: Row): FoundTable {
  const texts = Array.isArray(columns) ? columns.map(String) : [];
  return { schema: String(schema), name: String(name), columns: texts };
}
