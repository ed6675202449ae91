import { canonicalize, type JsonObject } from '@indelible/core';
import type { RawConnection } from '../../../mysql/test/raw-connection.js';
import type { MysqlBench } from '../mysql/mysql-bench.js';
import type { Connection } from '../mysql/mysql-caller.js';
import type { Rows, StartTrial } from './observe.js';

/** All trials share the bench's database, and each empties it. */
export function startMysqlTrial(bench: MysqlBench): StartTrial {
  return async (way, { strict, inTransaction }) => {
    await bench.reset(way.schema);
    const caller = await bench.open({ ...way.options, strict, snapshot: 'full' });
    for (const sql of way.session ?? []) await caller.client.query(sql);
    const temporary = (way.session ?? []).flatMap(
      (sql) => /CREATE TEMPORARY TABLE (\w+)/.exec(sql)?.[1] ?? [],
    );
    const isOwn = way.run[0] === 'BEGIN';
    const readOf = async (all: RawConnection['all']): Promise<Rows> =>
      new Map([
        ...(await readRows(all, await tablesOf(bench.outside))),
        // Nobody else can read those of a session.
        ...(await readRows(allOf(caller.client), temporary)),
      ]);
    return {
      run: async () => {
        const around = inTransaction && !isOwn;
        for (const sql of around ? ['BEGIN', ...way.run, 'COMMIT'] : way.run) await caller.run(sql);
      },
      read: () => readOf(bench.outside.all),
      readInside: () => readOf(allOf(caller.client)),
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

function allOf(client: Connection): RawConnection['all'] {
  return async (sql) => {
    const [rows] = await client.query(sql);
    return Array.isArray(rows) ? (rows as Readonly<Record<string, unknown>>[]) : [];
  };
}

async function tablesOf({ all }: RawConnection): Promise<readonly string[]> {
  const tables = await all(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
      AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_NAME NOT LIKE 'audit\\_%'`,
  );
  return tables.map(({ name }) => String(name));
}

async function readRows(all: RawConnection['all'], tables: readonly string[]): Promise<Rows> {
  const held = new Map<string, readonly string[]>();
  for (const name of tables) {
    const rows = await all(`SELECT * FROM \`${name}\``);
    held.set(
      name,
      rows.map((row) => canonicalize(row as JsonObject)),
    );
  }
  return held;
}
