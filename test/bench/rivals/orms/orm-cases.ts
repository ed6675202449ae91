import type { RowRecord } from '../contender.js';
import type { RowStore } from './row-store.js';

export interface OrmCaseRun {
  readonly store: RowStore;
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
export interface OrmCase {
  /** Its line of the behaviours that must hold. */
  readonly line: string;
  readonly name: string;
  readonly pool?: number;
  readonly run: (run: OrmCaseRun) => Promise<void>;
}

class Undo extends Error {}

async function undone(work: Promise<unknown>): Promise<void> {
  await work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    },
  );
}

function demand(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(why);
}

const ADA = { email: 'ada@a.test', name: 'Ada' };
const people = Array.from({ length: 9 }, (_, n) => ({
  email: `u${n}@a.test`,
  name: `N${n}`,
  active: n % 2 === 0,
}));

async function addFamily(store: RowStore): Promise<number> {
  const id = await store.createUser(ADA);
  for (const tag of [1, 2, 3]) await store.createTag(tag, `T${tag}`);
  await store.createPost(1, id, [1, 2]);
  await store.createPost(2, id, []);
  await store.addComment(1, 'one');
  await store.addComment(1, 'two');
  return id;
}

/** Those that ways to audit Prisma are asked too, as far as an ORM with objects has them. */
export const ORM_CASES: readonly OrmCase[] = [
  {
    line: 'C1',
    name: 'a create is recorded with all of its fields',
    run: async ({ store, exactly }) => void (await exactly(() => store.createUser(ADA))),
  },
  {
    line: 'C1',
    name: 'an update is recorded with before and after',
    run: async ({ store, exactly }) => {
      const id = await store.createUser(ADA);
      await exactly(() => store.saveUser(id, { name: 'Grace' }));
    },
  },
  {
    line: 'C1',
    name: 'a delete is recorded with all of the row',
    run: async ({ store, exactly }) => {
      const id = await store.createUser(ADA);
      await exactly(() => store.removeUser(id));
    },
  },
  {
    line: 'C1',
    name: 'the record names the user who acted, among fifty at once',
    pool: 10,
    run: async ({ store, exactly, as }) => {
      const numbers = Array.from({ length: 50 }, (_, n) => n + 1);
      const records = await exactly(() =>
        Promise.all(numbers.map((n) => as(`${n}`, () => store.createTag(n, `${n}`)))),
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
    run: async ({ store, exactly }) => {
      const id = await store.createUser(ADA);
      await exactly(() => store.saveUser(id, { name: 'Ada' }));
      await exactly(() => store.execute(`UPDATE "User" SET name = 'Ada'`));
    },
  },
  {
    line: 'C5',
    name: 'a bulk update of 5 rows gives 5 records with their befores',
    run: async ({ store, exactly }) => {
      await store.createUsers(people);
      await exactly(() => store.renameActive('all'));
    },
  },
  {
    line: 'C5',
    name: 'a bulk delete of 5 rows gives 5 records with all of each row',
    run: async ({ store, exactly }) => {
      await store.createUsers(people);
      await exactly(() => store.deleteActive());
    },
  },
  {
    line: 'C5',
    name: 'a bulk create gives a record a row, with its key and its defaults',
    run: async ({ store, exactly }) => void (await exactly(() => store.createUsers(people))),
  },
  {
    line: 'C6',
    name: 'an upsert says which branch ran',
    run: async ({ store, exactly }) => {
      await exactly(() => store.upsertSeat('guild', 1, 'basic'));
      await exactly(() => store.upsertSeat('guild', 1, 'gold'));
    },
  },
  {
    line: 'C7',
    name: 'an increment records the resolved values',
    run: async ({ store, exactly }) => {
      const id = await store.createUser({ ...ADA, visits: 41 });
      await exactly(() => store.incrementVisits(id));
    },
  },
  {
    line: 'C8',
    name: 'nested creates record every row, relation tables included',
    run: async ({ store, exactly }) => void (await exactly(() => store.createDeep('ada@a.test'))),
  },
  {
    line: 'C8',
    name: 'nested updates and deletes record every row that they touch',
    run: async ({ store, exactly }) => {
      const id = await addFamily(store);
      await exactly(() => store.saveDeep(id));
    },
  },
  {
    line: 'C8',
    name: 'setting a many-to-many relation records the links that came and went',
    run: async ({ store, exactly }) => {
      await addFamily(store);
      await exactly(() => store.setTags(1, [2, 3]));
    },
  },
  {
    line: 'C9',
    name: 'a delete that cascades records the further rows with their values',
    run: async ({ store, exactly }) => {
      const id = await addFamily(store);
      await store.createUser({ email: 'grace@a.test', managerId: id });
      await exactly(() => store.removeUser(id));
    },
  },
  {
    line: 'C10',
    name: 'changing a primary key records old and new identity, and the keys that follow',
    run: async ({ store, exactly }) => {
      await addFamily(store);
      await exactly(() => store.renumberTag(1, 7));
    },
  },
  {
    line: 'C10',
    name: 'a model with a composite key is recorded',
    run: async ({ store, exactly }) => {
      await exactly(() => store.upsertSeat('guild', 7, 'basic'));
      await exactly(() => store.execute(`DELETE FROM "Membership"`));
    },
  },
  {
    line: 'C12',
    name: 'raw SQL of the ORM is recorded',
    run: async ({ store, exactly }) => {
      await store.createTag(1, 'X');
      await exactly(() => store.execute(`UPDATE "Tag" SET label = 'raw' WHERE id = 1`));
    },
  },
  {
    line: 'C13',
    name: 'a narrow selection narrows what the caller gets and not what is recorded',
    run: async ({ store, exactly }) => {
      const id = await store.createUser(ADA);
      await exactly(() => store.saveUserNarrow(id, { name: 'Grace', visits: 2 }));
    },
  },
  {
    line: 'D1',
    name: 'a rolled-back transaction leaves no record',
    run: async ({ store, exactly }) => {
      await exactly(() =>
        undone(
          store.transaction(async (inside) => {
            await inside.createTag(1, 'gone');
            throw new Undo('undo');
          }),
        ),
      );
      demand((await store.countTags()) === 0, 'the change escaped the rollback');
    },
  },
  {
    line: 'D1',
    name: 'a rolled-back savepoint leaves no record of its own and keeps the rest',
    run: async ({ store, exactly }) => {
      await exactly(() =>
        store.transaction(async (outer) => {
          await outer.createTag(1, 'kept');
          await undone(
            outer.transaction(async (inner) => {
              await inner.saveTag(1, 'gone');
              throw new Undo('undo');
            }),
          );
        }),
      );
      demand((await store.labelOf(1)) === 'kept', 'the change escaped the rollback');
    },
  },
  {
    line: 'D4',
    name: '20 increments of one row at once: each before is the after of the one before it',
    pool: 10,
    run: async ({ store, exactly }) => {
      const id = await store.createUser(ADA);
      const records = await exactly(() =>
        Promise.all(Array.from({ length: 20 }, () => store.incrementVisits(id))),
      );
      demand(records.length === 20, `${records.length} records of 20 updates`);
    },
  },
  {
    line: 'D5',
    name: 'a write inside a transaction on a pool of one does not hang',
    pool: 1,
    run: async ({ store, exactly }) => {
      await store.createTag(1, 'X');
      await exactly(() => store.transaction((inside) => inside.saveTag(1, 'Y')));
    },
  },
  {
    line: 'D7',
    // The last one: there is no log behind it.
    name: 'a change whose record can not be written does not happen',
    run: async ({ store, breakLog }) => {
      await store.createTag(1, 'X');
      await breakLog();
      await store.saveTag(1, 'unrecorded').catch(() => undefined);
      demand((await store.labelOf(1)) === 'X', 'the change is there and its record is not');
    },
  },
];
