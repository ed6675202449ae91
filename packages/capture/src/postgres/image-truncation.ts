import type { Inexact, RowChange, TableName } from '../dialect.js';
import type { SchemaView } from './cascades.js';
import type { PlanRequest } from './plan-write.js';
import { type PostgresTable, SCOPE_EXPRESSION } from './postgres-catalogue.js';
import { PostgresRow } from './postgres-row.js';
import { quoteTable } from './quote-identifier.js';
import { isScratch, recorderOf, toldInPart } from './recorders.js';
import { EngineColumn } from './rewrite-write.js';
import { type ImageLimits, readImage, rowExpression } from './row-image.js';
import { stateExpression } from './table-state.js';
import type { Truncation } from './write-shape.js';

/** Locks the tables that a TRUNCATE will empty, as it does itself, and reads what they hold. */
export async function imageTruncation(
  view: SchemaView,
  { tables: named, cascades }: Truncation,
  ignores: (table: TableName) => boolean,
  check: PlanRequest['check'],
): Promise<{ readonly changes: readonly RowChange[]; readonly inexact: readonly Inexact[] }> {
  const { connection, maxRows } = view;
  const tables = new Map<string, PostgresTable>();
  for (const name of named) {
    const table = await view.find(name);
    // Without it the database refuses the statement itself.
    if (table !== undefined) tables.set(table.oid, table);
  }
  const waiting = cascades ? [...tables.values()] : [];
  for (let table = waiting.shift(); table !== undefined; table = waiting.shift()) {
    for (const { table: oid } of table.referencedBy) {
      const found = tables.has(oid) ? undefined : await view.byOid(oid);
      if (found === undefined) continue;
      tables.set(oid, found);
      waiting.push(found);
    }
  }
  const changes: RowChange[] = [];
  const inexact: Inexact[] = [];
  const known = [...tables.values()];
  if (known.length === 0) return { changes, inexact };
  const [[isolation, state, scope] = []] = await connection.query(
    `SELECT pg_catalog.current_setting('transaction_isolation'), ${stateExpression(known)} AS state, ${SCOPE_EXPRESSION} AS scope`,
  );
  check({ state, scope }, known);
  // TRUNCATE takes also the rows that others have added since.
  const keepsSnapshot = isolation !== 'read committed' && isolation !== 'read uncommitted';
  for (const table of tables.values()) {
    if (ignores(table.name) || isScratch(table)) continue;
    const trigger = table.triggers.find(({ mayWrite, events }) => mayWrite && events.has('truncate'));
    if (trigger !== undefined) {
      const reason = `the trigger ${trigger.name} of "${table.name.name}", which may write other rows`;
      inexact.push({ table: table.name, fidelity: 'opaque', reason });
    }
    const recorder = recorderOf(table, ['truncate']);
    if (recorder === 'mixed') inexact.push(toldInPart(table));
    if (recorder !== 'engine') continue;
    if (table.kind === 'table' && table.children.length > 0) {
      const reason = `"${table.name.name}", from which other tables inherit`;
      inexact.push({ table: table.name, fidelity: 'opaque', reason });
      continue;
    }
    if (table.hasRowSecurity || !table.mayReadPlaces || keepsSnapshot) {
      const reason = `"${table.name.name}", of which ${keepsSnapshot ? 'the transaction' : 'the role'} may not see all`;
      inexact.push({ table: table.name, fidelity: 'opaque', reason });
      if (!table.mayReadPlaces) continue;
    }
    const relation = quoteTable(table.relation);
    await connection.execute(`LOCK TABLE ${relation} IN ACCESS EXCLUSIVE MODE`);
    const rows = await connection.query(selectAll(table, relation, maxRows + 1, view.imagesOf(table)));
    if (rows.length > maxRows) {
      const [[count] = []] = await connection.query(`SELECT count(*)::text FROM ${relation}`);
      const reason = `more than ${maxRows} rows at once`;
      inexact.push({ table: table.name, fidelity: 'count-only', count: Number(count), reason });
    } else changes.push(...rows.map((row) => removed(table, row)));
  }
  return { changes, inexact };
}

function selectAll(
  table: PostgresTable,
  relation: string,
  limit: number,
  images: ImageLimits | undefined,
): string {
  return `SELECT ${rowExpression('t', table, images)}, NULL, (extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::bigint::text,
    t.tableoid::text || ' ' || t.ctid::text FROM ${relation} t LIMIT ${limit}`;
}

function removed(table: PostgresTable, row: readonly unknown[]): RowChange {
  const before = new PostgresRow(readImage(table, row[EngineColumn.old]) ?? '', table.columns);
  const place = String(row[3]);
  return { table, before, after: null, from: place, to: place, at: Number(row[EngineColumn.clock]) };
}
