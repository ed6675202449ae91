import type { Client, RowRecord } from './contender.js';

export interface CaseRun {
  readonly client: Client;
  /**
   * Runs `work` and demands that the records that it leaves tell exactly the rows that it changed.
   * @returns those records
   */
  exactly(work: () => Promise<unknown>): Promise<readonly RowRecord[]>;
  /** Runs `work` as this user. */
  as<T>(actor: string, work: () => Promise<T>): Promise<T>;
  /** Takes away the table that records go to. */
  breakLog(): Promise<void>;
}

/** A case throws where it is not passed. */
export interface RivalCase {
  /** Its line of the behaviours that must hold. */
  readonly line: string;
  readonly name: string;
  readonly pool?: number;
  readonly run: (run: CaseRun) => Promise<void>;
}

const people = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ email: `u${n}@a.test`, name: `N${n}`, active: n % 2 === 0 }));

class Undo extends Error {}

async function undone(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Undo)) throw error;
  });
}

function demand(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(why);
}

/** From the conformance suite of `@indelible/capture`, as far as a rival could be asked the same. */
export const RIVAL_CASES: readonly RivalCase[] = [
  {
    line: 'C1',
    name: 'a create is recorded with all of its fields',
    run: async ({ client, exactly }) => {
      await exactly(() => client.user.create({ data: { email: 'ada@a.test', name: 'Ada' } }));
    },
  },
  {
    line: 'C1',
    name: 'an update is recorded with before and after',
    run: async ({ client, exactly }) => {
      const { id } = await client.user.create({ data: { email: 'ada@a.test', name: 'Ada' } });
      await exactly(() => client.user.update({ where: { id }, data: { name: 'Grace' } }));
    },
  },
  {
    line: 'C1',
    name: 'a delete is recorded with all of the row',
    run: async ({ client, exactly }) => {
      const { id } = await client.user.create({ data: { email: 'ada@a.test', name: 'Ada' } });
      await exactly(() => client.user.delete({ where: { id } }));
    },
  },
  {
    line: 'C1',
    name: 'the record names the user who acted, among fifty at once',
    pool: 10,
    run: async ({ client, exactly, as }) => {
      const records = await exactly(() =>
        Promise.all(
          Array.from({ length: 50 }, (_, n) =>
            as(`u${n}`, () => client.tag.create({ data: { id: `t${n}`, label: `u${n}` } })),
          ),
        ),
      );
      demand(
        records.every(({ after, actor }) => after?.label === actor),
        'a record names another user, or none',
      );
    },
  },
  {
    line: 'C2',
    name: 'an update that writes identical values records nothing',
    run: async ({ client, exactly }) => {
      await client.tag.create({ data: { id: 'x', label: 'X' } });
      await exactly(() => client.tag.update({ where: { id: 'x' }, data: { label: 'X' } }));
    },
  },
  {
    line: 'C5',
    name: 'a bulk update of 5 rows gives 5 records with their befores',
    run: async ({ client, exactly }) => {
      await client.user.createMany({ data: people(9) });
      await exactly(() => client.user.updateMany({ where: { active: true }, data: { name: 'all' } }));
    },
  },
  {
    line: 'C5',
    name: 'a bulk delete of 5 rows gives 5 records with all of each row',
    run: async ({ client, exactly }) => {
      await client.user.createMany({ data: people(9) });
      await exactly(() => client.user.deleteMany({ where: { active: true } }));
    },
  },
  {
    line: 'C5',
    name: 'a bulk create gives a record a row, with its key and its defaults',
    run: async ({ client, exactly }) => {
      await exactly(() => client.user.createMany({ data: people(7) }));
    },
  },
  {
    line: 'C6',
    name: 'an upsert says which branch ran',
    run: async ({ client, exactly }) => {
      const upsert = () =>
        client.user.upsert({
          where: { email: 'ada@a.test' },
          create: { email: 'ada@a.test', name: 'first' },
          update: { name: 'second' },
        });
      await exactly(upsert);
      await exactly(upsert);
    },
  },
  {
    line: 'C7',
    name: 'an increment records the resolved values',
    run: async ({ client, exactly }) => {
      const { id } = await client.user.create({ data: { email: 'ada@a.test', visits: 41 } });
      await exactly(() => client.user.update({ where: { id }, data: { visits: { increment: 1 } } }));
    },
  },
  {
    line: 'C8',
    name: 'nested creates record every row, relation tables included',
    run: async ({ client, exactly }) => {
      await exactly(() =>
        client.user.create({
          data: {
            email: 'ada@a.test',
            posts: {
              create: {
                title: 'T',
                comments: { create: { text: 'C' } },
                tags: { connectOrCreate: { where: { id: 'x' }, create: { id: 'x', label: 'X' } } },
              },
            },
          },
        }),
      );
    },
  },
  {
    line: 'C8',
    name: 'nested updates and deletes record every row that they touch',
    run: async ({ client, exactly }) => {
      const { id } = await client.user.create({
        data: {
          email: 'ada@a.test',
          posts: {
            create: [
              { id: 'p1', title: '1' },
              { id: 'p2', title: '2' },
            ],
          },
        },
      });
      await exactly(() =>
        client.user.update({
          where: { id },
          data: {
            name: 'Ada',
            posts: { update: { where: { id: 'p1' }, data: { title: 'new' } }, delete: { id: 'p2' } },
          },
        }),
      );
    },
  },
  {
    line: 'C8',
    name: 'setting a many-to-many relation records the links that came and went',
    run: async ({ client, exactly }) => {
      await client.tag.createMany({ data: ['a', 'b', 'c'].map((id) => ({ id, label: id })) });
      await client.user.create({
        data: {
          email: 'ada@a.test',
          posts: { create: { id: 'p', title: 'P', tags: { connect: [{ id: 'a' }, { id: 'b' }] } } },
        },
      });
      await exactly(() =>
        client.post.update({ where: { id: 'p' }, data: { tags: { set: [{ id: 'b' }, { id: 'c' }] } } }),
      );
    },
  },
  {
    line: 'C9',
    name: 'a delete that cascades records the further rows with their values',
    run: async ({ client, exactly }) => {
      const { id } = await client.user.create({
        data: {
          email: 'ada@a.test',
          posts: { create: { title: 'P', comments: { create: [{ text: '1' }, { text: '2' }] } } },
        },
      });
      await client.user.create({ data: { email: 'grace@a.test', managerId: id } });
      await exactly(() => client.user.delete({ where: { id } }));
    },
  },
  {
    line: 'C10',
    name: 'changing a primary key records old and new identity, and the keys that follow',
    run: async ({ client, exactly }) => {
      await client.user.create({
        data: {
          email: 'ada@a.test',
          posts: { create: { title: 'P', tags: { create: { id: 'old', label: 'L' } } } },
        },
      });
      await exactly(() => client.tag.update({ where: { id: 'old' }, data: { id: 'new' } }));
    },
  },
  {
    line: 'C10',
    name: 'a model with a composite key is recorded',
    run: async ({ client, exactly }) => {
      await exactly(() => client.membership.create({ data: { org: 'guild', seat: 7 } }));
      await exactly(() =>
        client.membership.update({
          where: { org_seat: { org: 'guild', seat: 7 } },
          data: { level: 'gold' },
        }),
      );
    },
  },
  {
    line: 'C12',
    name: 'raw SQL of the ORM is recorded',
    run: async ({ client, exactly }) => {
      await client.tag.create({ data: { id: 'x', label: 'X' } });
      await exactly(() => client.$executeRaw`UPDATE "Tag" SET "label" = 'raw' WHERE "id" = 'x'`);
    },
  },
  {
    line: 'C13',
    name: 'a narrow selection narrows what the caller gets and not what is recorded',
    run: async ({ client, exactly }) => {
      const { id } = await client.user.create({ data: { email: 'ada@a.test', name: 'Ada' } });
      await exactly(() =>
        client.user.update({ where: { id }, data: { name: 'Grace', visits: 2 }, select: { id: true } }),
      );
    },
  },
  {
    line: 'D1',
    name: 'a rolled-back transaction leaves no record',
    run: async ({ client, exactly }) => {
      await exactly(() =>
        undone(
          client.$transaction(async (tx) => {
            await tx.tag.create({ data: { id: 'gone', label: 'gone' } });
            throw new Undo('undo');
          }),
        ),
      );
      demand((await client.tag.count()) === 0, 'the change escaped the rollback');
    },
  },
  {
    line: 'D2',
    name: 'a transaction that is a list of operations rolls back with its records',
    run: async ({ client, exactly }) => {
      await client.tag.create({ data: { id: 'x', label: 'X' } });
      // Whether a record is left can be a matter of time.
      for (let attempt = 0; attempt < 5; attempt += 1)
        await exactly(() =>
          client
            .$transaction([
              client.tag.update({ where: { id: 'x' }, data: { label: 'never' } }),
              client.tag.update({ where: { id: 'absent' }, data: { label: 'never' } }),
            ])
            .then(
              () => {
                throw new Error('it did not fail');
              },
              () => undefined,
            ),
        );
      const tag = await client.tag.findUnique({ where: { id: 'x' } });
      demand(tag?.label === 'X', 'the change escaped the rollback');
    },
  },
  {
    line: 'D4',
    name: '20 increments of one row at once: each before is the after of the one before it',
    pool: 10,
    run: async ({ client, exactly }) => {
      const { id } = await client.user.create({ data: { email: 'ada@a.test' } });
      const records = await exactly(() =>
        Promise.all(
          Array.from({ length: 20 }, () =>
            client.user.update({ where: { id }, data: { visits: { increment: 1 } } }),
          ),
        ),
      );
      demand(records.length === 20, `${records.length} records of 20 updates`);
    },
  },
  {
    line: 'D5',
    name: 'a write inside a transaction on a pool of one does not hang',
    pool: 1,
    run: async ({ client, exactly }) => {
      await client.tag.create({ data: { id: 'x', label: 'X' } });
      await exactly(() =>
        client.$transaction((tx) => tx.tag.update({ where: { id: 'x' }, data: { label: 'Y' } }), {
          timeout: 3_000,
          maxWait: 3_000,
        }),
      );
    },
  },
  {
    line: 'D7',
    // The last one: there is no log behind it.
    name: 'a change whose record can not be written does not happen',
    run: async ({ client, breakLog }) => {
      await client.tag.create({ data: { id: 'x', label: 'X' } });
      await breakLog();
      await client.tag.update({ where: { id: 'x' }, data: { label: 'unrecorded' } }).catch(() => undefined);
      const tag = await client.tag.findUnique({ where: { id: 'x' } });
      demand(tag?.label === 'X', 'the change is there and its record is not');
    },
  },
];
