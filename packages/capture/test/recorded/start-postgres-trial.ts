import { canonicalize, type JsonObject } from '@indelible/core';
import type pg from 'pg';
import type { PostgresBench } from '../postgres/postgres-bench.js';
import type { Rows, StartTrial } from './observe.js';

const TABLES = `SELECT c.relname AS name, c.oid::regclass::text AS relation, c.relkind = 'p' AS "isPartitioned"
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition`;
const LASTING = `${TABLES} AND n.nspname !~ '^(pg_|information_schema$|audit$)'`;
/** Nobody else can read those of a session. */
const TEMPORARY = `${TABLES} AND n.oid = pg_my_temp_schema()`;

/** All trials share the bench's database, and each empties it. `{role}` becomes `role`. */
export function startPostgresTrial(bench: PostgresBench, role: string): StartTrial {
  return async (way, { strict, inTransaction }) => {
    await bench.reset(way.schema.replaceAll('{role}', role));
    const caller = await bench.open({ ...way.options, strict, snapshot: 'full' });
    for (const sql of way.session ?? []) await caller.client.query(sql.replaceAll('{role}', role));
    const isOwn = way.run[0] === 'BEGIN';
    return {
      run: async () => {
        const around = inTransaction && !isOwn;
        for (const sql of around ? ['BEGIN', ...way.run, 'COMMIT'] : way.run) await caller.run(sql);
      },
      read: async () =>
        new Map([...(await readRows(bench.outside, LASTING)), ...(await readRows(caller.client, TEMPORARY))]),
      readInside: async () => {
        await caller.client.query('RESET ROLE');
        return new Map([
          ...(await readRows(caller.client, LASTING)),
          ...(await readRows(caller.client, TEMPORARY)),
        ]);
      },
      undo: async () => {
        if (caller.inTransaction) await caller.run('ROLLBACK');
      },
      events: () => bench.events(),
      close: async () => {
        if (caller.inTransaction) await caller.run('ROLLBACK');
      },
    };
  };
}

async function readRows(client: pg.Client, which: string): Promise<Rows> {
  const { rows: tables } = await client.query<{ name: string; relation: string; isPartitioned: boolean }>(
    which,
  );
  const held = new Map<string, string[]>();
  for (const { name, relation, isPartitioned } of tables) {
    const { rows } = await client.query<{ row: JsonObject }>(
      `SELECT to_jsonb(t) AS row FROM ${isPartitioned ? '' : 'ONLY'} ${relation} t`,
    );
    held.set(name, [...(held.get(name) ?? []), ...rows.map(({ row }) => canonicalize(row))]);
  }
  return held;
}
