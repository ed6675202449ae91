import type { CaptureConnection, Inexact, TableName } from '../dialect.js';
import type { Statement } from '../statement.js';
import { foldName } from '../tokenize.js';
import type { SqliteCatalogue } from './sqlite-catalogue.js';
import type { WritePlan } from './write-plan.js';

/** What is known of the connection that the statement runs on. */
interface Known {
  readonly catalogue: SqliteCatalogue | undefined;
  /** The names of the attached databases, folded. */
  readonly attached: readonly string[];
  readonly ignores: (table: TableName) => boolean;
}

/** Why a statement can not be captured exactly, found before it runs; empty where it can. */
export async function findInexact(
  connection: CaptureConnection,
  statement: Statement,
  plan: WritePlan,
  known: Known,
): Promise<readonly Inexact[]> {
  const inexact: Inexact[] = plan.unwatchable.map((table) => ({
    table: table.name,
    fidelity: 'opaque',
    reason: table.isVirtual
      ? 'SQLite allows no trigger on a virtual table'
      : 'nothing tells the rows of this table apart that a trigger could note',
  }));
  for (const table of plan.watched.keys()) {
    if (table.key.length > 0) continue;
    inexact.push({ table: table.name, fidelity: 'exact', reason: 'the table has no primary key' });
  }
  if (known.attached.some((name) => statement.names.has(name))) {
    inexact.push({
      table: null,
      fidelity: 'opaque',
      reason: 'the statement names a database that is attached',
    });
  } else if (
    plan.watched.size === 0 &&
    plan.unwatchable.length === 0 &&
    !(await writesTemporary(connection, statement, known))
  ) {
    inexact.push({
      table: null,
      fidelity: 'opaque',
      reason: 'the statement names no table of the database',
    });
  }
  if (!plan.replaces) return inexact;
  for (const table of plan.watched.keys()) {
    if (table.uniqueIndexes.every(({ columns }) => columns.every(({ name }) => name !== null))) continue;
    inexact.push({
      table: table.name,
      fidelity: 'opaque',
      reason: 'rows that REPLACE deletes by a unique index on an expression can not be seen',
    });
  }
  return inexact;
}

/** Temporary and ignored tables are not part of what is audited. */
async function writesTemporary(
  connection: CaptureConnection,
  statement: Statement,
  { catalogue, ignores }: Known,
): Promise<boolean> {
  const rows = await connection.query("SELECT name FROM temp.sqlite_schema WHERE type = 'table'");
  if (rows.some(([name]) => statement.names.has(foldName(String(name))))) return true;
  const tables = catalogue?.tables;
  return [...statement.names].some((name) => {
    const table = tables?.get(name);
    return table !== undefined && ignores(table.name);
  });
}
