import assert from 'node:assert/strict';
import { runWithContext } from '@indelible/context';
import { withOracle } from './oracle.js';
import type { Case } from './suite-case.js';

class Undo extends Error {}

/** D1 to D5: transactions and concurrency. */
export const transactionCases: readonly Case[] = [
  [
    'a rolled-back transaction leaves no event',
    async (harness) => {
      const events = await withOracle(harness, async () => {
        await assert.rejects(
          harness.transaction(async (db) => {
            await db.createTag('gone', 'gone');
            await db.createUserDeep('gone@a.test', 'gone', 'gone', ['gone-too']);
            throw new Undo('undo');
          }),
          Undo,
        );
      });
      assert.equal(events.length, 0);
      await harness.settle();
    },
  ],
  [
    'all changes of one transaction share its id, and another transaction has another',
    async (harness) => {
      const work = () =>
        harness.transaction(async (db) => {
          await db.createTag(`t${Math.random()}`, 'one');
          await db.createTag(`t${Math.random()}`, 'two');
        });
      const events = await withOracle(harness, async () => {
        await work();
        await work();
      });
      assert.equal(events.length, 4);
      const [first, second, third, fourth] = events.map((event) => event.context.transactionId);
      assert.equal(first, second);
      assert.equal(third, fourth);
      assert.notEqual(first, third);
    },
  ],
  [
    'a transaction that is a list of operations shares one id, and rolls back as one',
    async (harness, { supports }) => {
      if (!supports.batch) {
        assert.equal(harness.renameInBatch, undefined);
        return;
      }
      const one = Number((await harness.db.createUser({ email: 'a@a.test' })).id);
      const two = Number((await harness.db.createUser({ email: 'b@a.test' })).id);
      const events = await withOracle(harness, async () =>
        harness.renameInBatch?.([
          [one, 'first'],
          [two, 'second'],
        ]),
      );
      assert.equal(events.length, 2);
      assert.equal(events[0]?.context.transactionId, events[1]?.context.transactionId);
      const none = await withOracle(harness, async () => {
        await assert.rejects(async () =>
          harness.renameInBatch?.([
            [one, 'never'],
            [-1, 'never'],
          ]),
        );
      });
      assert.equal(none.length, 0);
    },
  ],
  [
    'a rolled-back savepoint leaves no event of its own and keeps the rest',
    async (harness, { supports }) => {
      if (!supports.nested) {
        assert.equal(harness.nested, undefined);
        return;
      }
      const events = await withOracle(harness, () =>
        harness.transaction(async (db) => {
          await db.createTag('before', 'kept');
          await harness.nested?.(db, async (inner) => {
            await inner.createTag('kept', 'kept');
          });
          await assert.rejects(async () =>
            harness.nested?.(db, async (inner) => {
              await inner.createTag('gone', 'gone');
              await inner.renameTag('before', 'gone-too');
              throw new Undo('undo');
            }),
          );
          await db.createTag('after', 'kept');
        }),
      );
      assert.deepEqual(
        events.map((event) => event.resource?.id),
        ['before', 'kept', 'after'],
      );
    },
  ],
  [
    'a statement that fails inside a transaction leaves it as usable as without auditing',
    async (harness, { factory, supports }) => {
      const plain = await factory({ audited: false });
      try {
        const attempt = async (own: typeof harness): Promise<unknown[]> => {
          const seen: unknown[] = [];
          await own
            .transaction(async (db) => {
              await db.createTag('one', 'one');
              await db.createTag('one', 'again').catch((error: unknown) => {
                seen.push(error instanceof Error ? error.constructor.name : error);
              });
              await db.createTag('two', 'two');
            })
            .catch((error: unknown) => seen.push(error instanceof Error ? error.constructor.name : error));
          seen.push([...((await own.snapshot()).get('Tag') ?? new Map()).keys()]);
          return seen;
        };
        assert.deepEqual(await attempt(harness), await attempt(plain));
        assert.deepEqual(
          (await harness.events()).map((event) => event.resource?.id),
          supports.survivesFailure ? ['one', 'two'] : [],
        );
      } finally {
        await plain.close();
      }
    },
  ],
  [
    'each step of a row within one transaction is told, in order',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test', visits: 0n });
      const events = await withOracle(harness, () =>
        harness.transaction(async (db) => {
          for (let step = 0; step < 3; step += 1) await db.incrementVisits(Number(id), 1);
        }),
      );
      assert.deepEqual(
        events.map((event) => [event.change?.before?.visits, event.change?.after?.visits]),
        [
          ['0', '1'],
          ['1', '2'],
          ['2', '3'],
        ],
      );
    },
  ],
  [
    'writes that run at once inside one transaction are each told exactly',
    async (harness) => {
      const events = await withOracle(harness, () =>
        harness.transaction(async (db) => {
          await Promise.all(Array.from({ length: 8 }, (_, n) => db.createTag(`t${n}`, 'x')));
        }),
      );
      assert.equal(events.length, 8);
      assert.equal(new Set(events.map((event) => event.context.transactionId)).size, 1);
    },
  ],
  [
    'fifty parallel writers on one row: each before equals the previous after',
    async (harness) => {
      const { id } = await harness.db.createUser({ email: 'ada@a.test', visits: 0n });
      const events = await withOracle(harness, () =>
        Promise.all(Array.from({ length: 50 }, () => harness.db.incrementVisits(Number(id), 1))),
      );
      assert.deepEqual(
        events.map((event) => event.change?.before?.visits),
        Array.from({ length: 50 }, (_, n) => String(n)),
      );
    },
  ],
  [
    'ten transactions at once end without a deadlock and tell what each did',
    async (harness, { supports }) => {
      const events = await withOracle(harness, () =>
        Promise.all(
          Array.from({ length: 10 }, (_, n) =>
            harness.transaction(async (db) => {
              await db.createTag(`a${n}`, 'x');
              await db.createTag(`b${n}`, 'x');
            }),
          ),
        ),
      );
      assert.equal(events.length, 20);
      const ids = events.map((event) => event.context.transactionId);
      assert.equal(new Set(ids).size, 10);
      for (const id of ids) {
        const [first, second] = events.filter((event) => event.context.transactionId === id);
        assert.match(first?.resource?.id ?? '', /^a/);
        assert.equal(second?.resource?.id, first?.resource?.id.replace('a', 'b'));
      }
      if (!supports.parallel) for (let pair = 0; pair < 20; pair += 2) assert.equal(ids[pair], ids[pair + 1]);
    },
  ],
  [
    'two open transactions both write, and neither waits for the other',
    async (harness, { supports }) => {
      const open = new Set<string>();
      const work = (code: string): Promise<boolean> =>
        harness.transaction(async (db) => {
          await db.createTag(code, 'x');
          open.add(code);
          const deadline = Date.now() + (supports.parallel ? 5_000 : 200);
          while (open.size < 2 && Date.now() < deadline) await new Promise((done) => setTimeout(done, 5));
          await db.createTag(`${code}-after`, 'x');
          return open.size === 2;
        });
      const events = await withOracle(harness, async () => {
        const met = await Promise.all([work('one'), work('two')]);
        assert.equal(met.every(Boolean), supports.parallel);
      });
      assert.equal(events.length, 4);
    },
  ],
  [
    'concurrent writes carry each its own actor',
    async (harness) => {
      await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          runWithContext({ actor: { type: 'user', id: `actor-${n}` } }, async () => {
            await harness.db.createTag(`tag-${n}`, 'x');
          }),
        ),
      );
      for (const event of await harness.events()) {
        assert.equal(event.actor.id.replace('actor', 'tag'), event.resource?.id);
      }
    },
  ],
  [
    'an event of the application joins the transaction and shares its fate',
    async (harness) => {
      await harness.transaction(async (db) => {
        await db.createTag('kept', 'x');
        await harness.record(db, 'invoice.exported');
      });
      await assert.rejects(
        harness.transaction(async (db) => {
          await harness.record(db, 'invoice.cancelled');
          await db.createTag('gone', 'x');
          throw new Undo('undo');
        }),
      );
      const events = await harness.events();
      assert.deepEqual(
        events.map((event) => event.action),
        ['tag.created', 'invoice.exported'],
      );
      assert.equal(events[0]?.context.transactionId, events[1]?.context.transactionId);
    },
  ],
  [
    'writes inside withoutAudit are not recorded, and those around it are',
    async (harness, { supports }) => {
      await harness.transaction(async (db) => {
        await db.createTag('a', 'x');
        await harness.paused(() => db.createTag('b', 'x'));
        await db.createTag('c', 'x');
      });
      await harness.paused(() => harness.db.createTag('d', 'x'));
      const events = (await harness.events()).filter((event) => event.category === 'data');
      // What records in spite of it has to say so.
      const isTold = supports.pauses === false;
      assert.deepEqual(
        events.map((event) => event.resource?.id),
        isTold ? ['a', 'b', 'c', 'd'] : ['a', 'c'],
      );
      assert.deepEqual(
        events.filter(({ tags }) => tags?.includes('audit-paused')).map((event) => event.resource?.id),
        isTold ? ['b', 'd'] : [],
      );
    },
  ],
  [
    'what was recorded is sealed, and the log verifies',
    async (harness) => {
      await harness.db.createUserDeep('ada@a.test', 'Title', 'Text', ['x']);
      await harness.settle();
    },
  ],
];
