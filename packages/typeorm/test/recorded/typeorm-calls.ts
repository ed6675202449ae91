import type { OrmHarness } from '@indelible/capture/conformance';
import type { DataSource, QueryRunner } from 'typeorm';
import type { OrmCall } from '../../../capture/test/recorded/observe-call.js';
import type { Domain } from '../domain-entities.js';
import { decoratedCalls } from './decorated-calls.js';

export interface TypeormHarness extends OrmHarness {
  readonly dataSource: DataSource;
  readonly domain: Domain;
}

export interface TypeormCall extends OrmCall<TypeormHarness> {
  /** Which entities it needs. @default the suite's domain */
  readonly entities?: 'decorated';
}

const tagsOf = ({ dataSource, domain }: TypeormHarness) => dataSource.getRepository(domain.Tag);
const usersOf = ({ dataSource, domain }: TypeormHarness) => dataSource.getRepository(domain.User);
const postsOf = ({ dataSource, domain }: TypeormHarness) => dataSource.getRepository(domain.Post);
const seatsOf = ({ dataSource, domain }: TypeormHarness) => dataSource.getRepository(domain.Membership);
const quoted = ({ dataSource }: TypeormHarness, name: string): string => dataSource.driver.escape(name);

const TAGS = ['a', 'b', 'c'].map((code) => ({ code, label: code }));
const SEATS = [1, 2].map((seat) => ({ org: 'guild', seat, level: 'basic' }));
const addTags = (harness: TypeormHarness) => tagsOf(harness).insert(TAGS);
const addSeats = (harness: TypeormHarness) => seatsOf(harness).insert(SEATS);

/** A user with a manager, a profile, and posts that have comments and tags. */
async function addFamily(harness: TypeormHarness): Promise<void> {
  await harness.db.createUser({ id: 1, email: 'ada@a.test', active: true });
  await harness.db.createUser({ id: 2, email: 'bo@a.test', active: false, managerId: 1 });
  await harness.db.createProfile('p', 1, 'bio');
  const user = await usersOf(harness).findOneByOrFail({ id: 1 });
  user.posts = postsOf(harness).create([
    { title: 'one', comments: [{ text: 'x' }], tags: TAGS.slice(0, 2) },
    { title: 'two' },
  ]);
  await usersOf(harness).save(user);
}

async function withRunner(harness: TypeormHarness, work: (runner: QueryRunner) => Promise<unknown>) {
  const runner = harness.dataSource.createQueryRunner();
  try {
    await work(runner);
  } finally {
    await runner.release();
  }
}

/** What TypeORM writes with, each called once on a database of its own. */
export const TYPEORM_CALLS: readonly TypeormCall[] = [
  {
    does: 'create one row',
    call: '`save()` of a new entity',
    run: (h) => usersOf(h).save(usersOf(h).create({ email: 'ada@a.test', settings: { a: [1] } })),
  },
  {
    does: 'create one row',
    call: '`insert()`',
    run: (h) => usersOf(h).insert({ email: 'ada@a.test' }),
  },
  { does: 'create many rows', call: '`save()` of many', run: (h) => tagsOf(h).save(TAGS) },
  { does: 'create many rows', call: '`insert()` of many', run: addTags },
  {
    does: 'update one row',
    call: '`save()` of a changed entity',
    prepare: addFamily,
    run: async (h) => {
      const user = await usersOf(h).findOneByOrFail({ id: 1 });
      user.name = 'Ada';
      await usersOf(h).save(user);
    },
  },
  {
    does: 'update one row',
    call: '`update()` by its key',
    prepare: addFamily,
    run: (h) => usersOf(h).update(1, { name: 'Ada' }),
  },
  {
    does: 'update many rows',
    call: '`update()` by criteria',
    prepare: addTags,
    run: (h) => tagsOf(h).update({ label: 'a' }, { label: 'z' }),
  },
  {
    does: 'update many rows',
    call: '`updateAll()`',
    prepare: addTags,
    run: (h) => tagsOf(h).updateAll({ label: 'z' }),
  },
  {
    does: 'delete one row',
    call: '`remove()`',
    prepare: addTags,
    run: async (h) => tagsOf(h).remove(await tagsOf(h).findOneByOrFail({ code: 'a' })),
  },
  {
    does: 'delete one row',
    call: '`delete()` by its key',
    prepare: addTags,
    run: (h) => tagsOf(h).delete('a'),
  },
  {
    does: 'delete many rows',
    call: '`remove()` of many',
    prepare: addTags,
    run: async (h) => tagsOf(h).remove(await tagsOf(h).find()),
  },
  {
    does: 'delete many rows',
    call: '`delete()` by criteria',
    prepare: addTags,
    run: (h) => tagsOf(h).delete({ label: 'a' }),
  },
  {
    does: 'delete all rows of a table',
    call: '`deleteAll()`',
    prepare: addTags,
    run: (h) => tagsOf(h).deleteAll(),
  },
  {
    does: 'delete all rows of a table',
    call: '`clear()`',
    prepare: addSeats,
    run: (h) => seatsOf(h).clear(),
  },
  {
    does: 'upsert, by the branch that ran',
    call: '`upsert()`',
    prepare: addSeats,
    run: (h) =>
      seatsOf(h).upsert(
        [2, 3].map((seat) => ({ org: 'guild', seat, level: 'gold' })),
        ['org', 'seat'],
      ),
  },
  {
    does: 'upsert, by the branch that ran',
    call: '`upsert()` of rows that others refer to',
    prepare: addFamily,
    run: (h) => tagsOf(h).upsert([{ code: 'a', label: 'z' }], ['code']),
  },
  {
    does: 'upsert, by the branch that ran',
    call: 'query builder: `orUpdate()`',
    prepare: addSeats,
    run: (h) =>
      seatsOf(h)
        .createQueryBuilder()
        .insert()
        .values({ org: 'guild', seat: 1, level: 'gold' })
        .orUpdate(['level'], ['org', 'seat'])
        .execute(),
  },
  {
    does: 'create unless it is there',
    call: 'query builder: `orIgnore()`',
    prepare: addSeats,
    run: (h) =>
      seatsOf(h)
        .createQueryBuilder()
        .insert()
        .values([1, 3].map((seat) => ({ org: 'guild', seat })))
        .orIgnore()
        .execute(),
  },
  {
    does: 'values that the database computes',
    call: '`increment()`, `decrement()`',
    prepare: addFamily,
    run: async (h) => {
      await postsOf(h).increment({ authorId: 1 }, 'views', 3);
      await postsOf(h).decrement({ title: 'one' }, 'views', 1);
    },
  },
  {
    does: 'values that the database computes',
    call: '`update()` with an expression',
    prepare: addTags,
    run: (h) => tagsOf(h).update({ code: 'a' }, { label: () => 'UPPER(label)' }),
  },
  {
    does: 'rows that hang together, in one call',
    call: '`save()` that cascades to new ones',
    run: addFamily,
  },
  {
    does: 'rows that hang together, in one call',
    call: '`save()` that changes, adds and orphans some',
    prepare: addFamily,
    run: (h) => h.db.updateUserDeep(1, { name: 'Ada', rename: [1, 'first'], remove: 2, add: 'third' }),
  },
  {
    does: 'links of many-to-many',
    call: '`save()` with other ones',
    prepare: addFamily,
    run: (h) => h.db.setTags(1, ['b']),
  },
  {
    does: 'links of many-to-many',
    call: 'query builder: `relation().add()`, `remove()`, `set()`',
    prepare: addFamily,
    run: async (h) => {
      const builder = () => h.dataSource.createQueryBuilder();
      await builder().relation(h.domain.User, 'friends').of(1).add(2);
      await builder().relation(h.domain.Post, 'tags').of(1).remove('a');
      await builder().relation(h.domain.Comment, 'post').of(1).set(2);
    },
  },
  {
    does: 'what foreign keys carry on',
    call: '`delete()` of a row that others refer to',
    prepare: addFamily,
    run: (h) => usersOf(h).delete({ id: 1 }),
  },
  {
    does: 'change of a primary key',
    call: '`update()` of it',
    prepare: addSeats,
    run: (h) => seatsOf(h).update({ seat: 2 }, { seat: 7 }),
  },
  ...decoratedCalls,
  {
    does: 'without hooks',
    call: 'query builders with `callListeners(false)`',
    prepare: addTags,
    run: async ({ dataSource, domain: { Tag } }) => {
      const builder = () => dataSource.createQueryBuilder().callListeners(false);
      await builder().insert().into(Tag).values({ code: 'd', label: 'd' }).execute();
      await builder().update(Tag).set({ label: 'z' }).where('code > :code', { code: 'a' }).execute();
      await builder().delete().from(Tag).where({ code: 'b' }).execute();
    },
  },
  {
    does: 'a transaction, and a savepoint that is rolled back',
    call: '`transaction()` in `transaction()`',
    prepare: addTags,
    run: (h) =>
      h.dataSource.transaction(async (manager) => {
        await manager.update(h.domain.Tag, { code: 'a' }, { label: 'kept' });
        await manager
          .transaction(async (inner) => {
            await inner.delete(h.domain.Tag, { code: 'a' });
            throw new Error('on purpose');
          })
          .catch(() => undefined);
      }),
  },
  {
    does: 'a transaction, and a savepoint that is rolled back',
    call: 'query runner: `startTransaction()`, `rollbackTransaction()`',
    prepare: addTags,
    run: (h) =>
      withRunner(h, async (runner) => {
        await runner.startTransaction();
        await runner.manager.save(h.domain.Tag, { code: 'd', label: 'kept' });
        await runner.startTransaction();
        await runner.manager.delete(h.domain.Tag, { code: 'd' });
        await runner.rollbackTransaction();
        await runner.commitTransaction();
      }),
  },
  {
    does: 'raw SQL',
    call: '`query()`',
    prepare: addTags,
    run: async (h) => {
      const tag = quoted(h, 'Tag');
      await h.dataSource.query(`UPDATE ${tag} SET label = 'z' WHERE code > 'a'`);
      await h.dataSource.query(
        `INSERT INTO ${tag} (code, label) SELECT 'd', label FROM ${tag} WHERE code = 'a'`,
      );
    },
  },
  {
    does: 'several statements in one string of raw SQL',
    call: '`query()`',
    on: ['postgres'],
    prepare: addTags,
    run: ({ dataSource }) =>
      dataSource.query(`UPDATE "Tag" SET label = 'z' WHERE code = 'a'; DELETE FROM "Tag" WHERE code = 'b'`),
  },
];
