import { canonicalize, type JsonObject } from '@indelible/core';
import type Database from 'libsql';
import { createBench } from '../capture-bench.js';
import type { Rows, StartTrial } from './observe.js';

/** Each trial has a database file of its own. */
export const startSqliteTrial: StartTrial = async (way, { strict, inTransaction }) => {
  const bench = await createBench(way.schema, { ...way.options, strict, snapshot: 'full' });
  const { caller, outside } = bench;
  for (const text of way.session ?? []) {
    const sql = text.replaceAll('{directory}', bench.directory);
    caller.exec(sql);
    if (/^(?:ATTACH|PRAGMA)/.test(sql)) outside.exec(sql);
  }
  return {
    run: async () => {
      if (!inTransaction) {
        for (const sql of way.run) await bench.run(sql);
        return;
      }
      for (const sql of ['BEGIN', ...way.run, 'COMMIT']) await bench.run(sql);
    },
    read: async () => readRows(outside),
    readInside: async () => readRows(caller),
    undo: async () => {
      if (caller.inTransaction) await bench.run('ROLLBACK');
    },
    events: async () => bench.events(),
    close: () => bench.close(),
  };
};

function readRows(database: Database.Database): Rows {
  const tables = database
    .prepare(
      `SELECT schema, name FROM pragma_table_list WHERE type IN ('table', 'virtual') AND schema <> 'temp'
        AND name NOT GLOB 'audit_*' AND name NOT GLOB 'sqlite_*'`,
    )
    .raw()
    .all() as [string, string][];
  return new Map(
    tables.map(([schema, name]) => {
      const rows = database.prepare(`SELECT * FROM "${schema}"."${name}"`).all() as JsonObject[];
      return [name, rows.map(canonicalRow)];
    }),
  );
}

/** The driver adds a field of its own to what `get` gives. */
function canonicalRow({ _metadata, ...row }: JsonObject): string {
  return canonicalize(row);
}
