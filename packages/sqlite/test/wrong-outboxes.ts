import { setTimeout as pause } from 'node:timers/promises';
import type { Outbox, OutboxRow, SqlStatement } from '@indelible/core';
import { openLibsql } from './raw-connection.js';

export interface WrongOutbox {
  /** What it does, behind "an outbox that". */
  readonly fault: string;
  /** @param file of the database */
  readonly wrap: (outbox: Outbox, file: string) => Outbox;
}

const COMMITTED =
  'events written to the outbox are there once their transaction commits, as they are, and not in the log';
const ROLLED_BACK = 'events written to the outbox leave with the rollback of their transaction';
const FUNCTIONS = "the caller's session functions answer as they did before the outbox was written";
const NAMED = 'the outbox is named as its database is';
const OLDEST =
  'the oldest rows are handed out first, so many as were asked for, and leave once they are delivered';
const FAILED =
  'what could not be delivered stays, the error is that of the delivery, and the next one gets it all';
const DELIVERED = 'only what was delivered leaves, and what is to be passed over is not handed out';
const TWICE = 'an event that was written twice is delivered as itself, and none of it is left';
const MEANWHILE =
  'an application writes while a relay delivers, and what it writes is not lost with what was delivered';
const OPEN = 'what an open transaction has written is not waited for, and comes once it commits';
const TWO = 'two relays at once neither wait for one another nor lose a row';

type Statements = Outbox['transactional']['statements'];

function writing(outbox: Outbox, statements: (usual: Statements) => Statements): Outbox {
  const { transactional } = outbox;
  return { ...outbox, transactional: { ...transactional, statements: statements(transactional.statements) } };
}

type Deliver = (rows: readonly OutboxRow[]) => Promise<readonly OutboxRow[]>;

function delivering(outbox: Outbox, change: (deliver: Deliver) => Deliver): Outbox {
  return { ...outbox, drain: (request) => outbox.drain({ ...request, deliver: change(request.deliver) }) };
}

function run(file: string, ...statements: readonly string[]): void {
  const raw = openLibsql(file);
  try {
    for (const sql of statements) raw.exec(sql);
  } finally {
    raw.close();
  }
}

/** For each case of the suite outboxes that it has to refuse. */
export const WRONG_OUTBOXES: Readonly<Record<string, readonly WrongOutbox[]>> = {
  [COMMITTED]: [
    {
      fault: 'drops the last event',
      wrap: (outbox) => writing(outbox, (usual) => (events, options) => usual(events.slice(0, -1), options)),
    },
    {
      fault: 'keeps bodies as text',
      wrap: (outbox) =>
        writing(
          outbox,
          (usual) => (events, options) =>
            usual(events, options).map(({ sql, params }) => ({
              sql,
              params: params.map((value, at) =>
                at % 3 === 2 && value instanceof Uint8Array
                  ? Buffer.from(Buffer.from(value).toString())
                  : value,
              ),
            })),
        ),
    },
    {
      fault: 'writes into the log',
      wrap: (outbox) =>
        writing(outbox, (usual) => (events, options) => [
          ...usual(events, options),
          {
            sql: "INSERT INTO audit_event (id, log, body, leaf, time, action, category, outcome, actor_type, actor_id) SELECT id, 'audit', body, leaf, '', '', '', '', '', '' FROM audit_outbox LIMIT 1",
            params: [],
          },
        ]),
    },
  ],
  [ROLLED_BACK]: [
    {
      fault: 'counts what it was given',
      wrap: (outbox) => {
        let given = 0;
        const counting = writing(outbox, (usual) => (events, options) => {
          given += events.length;
          return usual(events, options);
        });
        return { ...counting, inspect: async () => ({ waiting: given, oldest: null }) };
      },
    },
    {
      fault: 'ends the transaction that it writes in',
      wrap: (outbox) =>
        writing(outbox, (usual) => (events, options): SqlStatement[] => [
          ...usual(events, options),
          { sql: 'COMMIT', params: [] },
          { sql: 'BEGIN', params: [] },
        ]),
    },
  ],
  [FUNCTIONS]: [
    {
      fault: 'leaves a row number behind',
      wrap: (outbox) =>
        writing(outbox, (usual) => (events, options): SqlStatement[] => [
          ...usual(events, options),
          { sql: "INSERT INTO patient (name) VALUES ('relayed')", params: [] },
        ]),
    },
  ],
  [NAMED]: [
    {
      fault: 'is named otherwise than its database',
      wrap: (outbox) => ({
        ...outbox,
        transactional: { ...outbox.transactional, database: `${outbox.transactional.database}/outbox` },
      }),
    },
  ],
  [OLDEST]: [
    {
      fault: 'reorders',
      wrap: (outbox) => delivering(outbox, (deliver) => (rows) => deliver([...rows].reverse())),
    },
    {
      fault: 'hands out each row twice',
      wrap: (outbox) => delivering(outbox, (deliver) => (rows) => deliver(rows.flatMap((row) => [row, row]))),
    },
    {
      fault: 'drops the last row of a delivery',
      wrap: (outbox) =>
        delivering(outbox, (deliver) => async (rows) => {
          await deliver(rows.slice(0, -1));
          return rows;
        }),
    },
    {
      fault: 'hands out more than was asked for',
      wrap: (outbox) => ({ ...outbox, drain: (request) => outbox.drain({ ...request, limit: 1_000 }) }),
    },
    {
      fault: 'calls what is delivered gone, and keeps it',
      wrap: (outbox) => ({
        ...outbox,
        drain: async (request) => {
          const outcome = await outbox.drain({
            ...request,
            deliver: async (rows) => {
              await request.deliver(rows);
              return [];
            },
          });
          return { ...outcome, removed: outcome.taken };
        },
      }),
    },
  ],
  [FAILED]: [
    {
      fault: 'marks rows as relayed before they are durable',
      wrap: (outbox) => ({
        ...outbox,
        drain: async (request) => {
          const taken: OutboxRow[] = [];
          const outcome = await outbox.drain({
            ...request,
            deliver: async (rows) => {
              taken.push(...rows);
              return rows;
            },
          });
          if (taken.length > 0) await request.deliver(taken);
          return outcome;
        },
      }),
    },
    {
      fault: 'hides the error of the delivery behind its own',
      wrap: (outbox) =>
        delivering(
          outbox,
          (deliver) => (rows) =>
            deliver(rows).catch((cause: unknown) => {
              throw new Error('the delivery failed', { cause });
            }),
        ),
    },
  ],
  [DELIVERED]: [
    {
      fault: 'removes what was handed out',
      wrap: (outbox) =>
        delivering(outbox, (deliver) => async (rows) => {
          await deliver(rows);
          return rows;
        }),
    },
    {
      fault: 'hands out what is to be passed over',
      wrap: (outbox) => ({ ...outbox, drain: (request) => outbox.drain({ ...request, except: [] }) }),
    },
  ],
  [TWICE]: [
    {
      fault: 'refuses an event that is there already',
      wrap: (outbox) => writing(outbox, (usual) => (events) => usual(events, { isFresh: true })),
    },
    {
      fault: 'delivers a body that was made anew',
      wrap: (outbox) =>
        delivering(outbox, (deliver) => async (rows) => {
          await deliver(rows.map((row) => ({ ...row, body: Uint8Array.of(...row.body, 32) })));
          return rows;
        }),
    },
  ],
  [MEANWHILE]: [
    {
      fault: 'empties itself after a delivery',
      wrap: (outbox, file) => ({
        ...outbox,
        drain: async (request) => {
          const outcome = await outbox.drain(request);
          if (outcome.removed > 0) run(file, 'DELETE FROM audit_outbox');
          return outcome;
        },
      }),
    },
    {
      fault: 'locks the application out while it delivers',
      wrap: (outbox, file) =>
        delivering(outbox, (deliver) => async (rows) => {
          const raw = openLibsql(file);
          raw.exec('BEGIN IMMEDIATE');
          try {
            return await deliver(rows);
          } finally {
            raw.exec('ROLLBACK');
            raw.close();
          }
        }),
    },
  ],
  [OPEN]: [
    {
      fault: 'goes on behind the greatest id that it has handed out',
      wrap: (outbox) => {
        let greatest = '';
        return delivering(outbox, (deliver) => async (rows) => {
          const newer = rows.filter(({ id }) => id > greatest);
          greatest = newer.at(-1)?.id ?? greatest;
          await deliver(newer);
          return rows;
        });
      },
    },
    {
      fault: 'waits until nobody has a transaction open',
      wrap: (outbox, file) => ({
        ...outbox,
        drain: async (request) => {
          for (let tries = 0; tries < 300; tries += 1) {
            try {
              run(file, 'BEGIN IMMEDIATE', 'ROLLBACK');
              break;
            } catch {
              await pause(20);
            }
          }
          return outbox.drain(request);
        },
      }),
    },
  ],
  [TWO]: [
    {
      fault: 'waits for the other relay',
      wrap: (outbox, file) => ({ ...outbox, drain: (request) => inTurn(file, () => outbox.drain(request)) }),
    },
    {
      fault: 'hands out rows for ever',
      wrap: (outbox) => ({
        ...outbox,
        drain: async (request) => ({ ...(await outbox.drain(request)), taken: 1 }),
      }),
    },
  ],
};

const turns = new Map<string, Promise<unknown>>();

function inTurn<T>(file: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(file) ?? Promise.resolve()).then(work);
  turns.set(
    file,
    turn.catch(() => {}),
  );
  return turn;
}
