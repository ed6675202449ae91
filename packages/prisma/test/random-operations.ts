import type { OrmOperations, UserFields } from '@indelible/capture/conformance';
import fc from 'fast-check';

/** One operation of the suite's domain; it may fail, as the ORM's would. */
export type Operation = readonly [name: string, run: (db: OrmOperations) => Promise<unknown>];

/** A flow of operations: on its own, in a transaction, in one that is undone, or within another one. */
export type Flow =
  | { readonly kind: 'plain'; readonly operations: readonly Operation[] }
  | { readonly kind: 'transaction' | 'undone' | 'nested' | 'nested-undone'; readonly parts: readonly Flow[] };

const id = fc.integer({ min: 1, max: 6 });
const email = fc.integer({ min: 1, max: 6 }).map((n) => `u${n}@a.test`);
const code = fc.constantFrom('a', 'b', 'c', 'd');
const word = fc.constantFrom('', 'x', 'y', 'ü', '👩‍⚕️', "it's", 'null');
const active = fc.boolean();
const json = fc.constantFrom<unknown>(null, {}, { a: 1, b: [1, 2] }, { b: [2, 1], a: '1' }, [], 'text', 0.5);

const changes: fc.Arbitrary<UserFields> = fc.record(
  {
    name: fc.option(word),
    active,
    score: fc.option(fc.constantFrom(0, 1, -1.5, 0.1)),
    balance: fc.option(fc.constantFrom('1', '1.10', '-3.25')),
    visits: fc.constantFrom(0n, 1n, 9_007_199_254_740_993n),
    avatar: fc.option(fc.uint8Array({ maxLength: 4 })),
    settings: json,
    role: fc.constantFrom('MEMBER', 'ADMIN'),
    managerId: fc.option(id),
    deletedAt: fc.option(fc.constantFrom(new Date('2024-01-02T03:04:05.678Z'), new Date(0))),
    password: fc.option(fc.constantFrom('hunter2', 'hunter3')),
  },
  { requiredKeys: [] },
);
const person: fc.Arbitrary<UserFields> = fc
  .tuple(email, changes, fc.option(id))
  .map(([mail, fields, own]) => ({
    ...fields,
    email: mail,
    ...(own === null ? {} : { id: own }),
  }));

const ormOperations: readonly fc.MaybeWeightedArbitrary<Operation>[] = [
  { weight: 4, arbitrary: person.map((fields): Operation => ['createUser', (db) => db.createUser(fields)]) },
  fc
    .array(person, { minLength: 1, maxLength: 4 })
    .map((people): Operation => ['createUsers', (db) => db.createUsers(people)]),
  {
    weight: 3,
    arbitrary: fc
      .tuple(id, changes)
      .map(([of, fields]): Operation => ['updateUser', (db) => db.updateUser(of, fields)]),
  },
  fc.tuple(active, word).map(([of, name]): Operation => ['renameUsers', (db) => db.renameUsers(of, name)]),
  id.map((of): Operation => ['deleteUser', (db) => db.deleteUser(of)]),
  active.map((of): Operation => ['deleteUsers', (db) => db.deleteUsers(of)]),
  fc
    .tuple(email, person, changes)
    .map(([of, create, update]): Operation => ['upsertUser', (db) => db.upsertUser(of, create, update)]),
  fc.tuple(id, id).map(([of, by]): Operation => ['incrementVisits', (db) => db.incrementVisits(of, by)]),
  id.map((of): Operation => ['findUser', (db) => db.findUser(of)]),
  fc
    .tuple(code, id, word)
    .map(([of, user, bio]): Operation => ['createProfile', (db) => db.createProfile(of, user, bio)]),
  {
    weight: 2,
    arbitrary: fc
      .tuple(email, word, fc.uniqueArray(code, { maxLength: 3 }))
      .map(
        ([of, text, tags]): Operation => ['createUserDeep', (db) => db.createUserDeep(of, text, text, tags)],
      ),
  },
  fc
    .tuple(id, id, id, word)
    .map(
      ([of, kept, remove, name]): Operation => [
        'updateUserDeep',
        (db) => db.updateUserDeep(of, { name, rename: [kept, name], remove, add: name }),
      ],
    ),
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, word)
      .map(([of, title]): Operation => ['createPost', (db) => db.createPost(of, title)]),
  },
  id.map((of): Operation => ['deletePost', (db) => db.deletePost(of)]),
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, word, fc.option(id, { nil: undefined }))
      .map(([of, text, parent]): Operation => ['addComment', (db) => db.addComment(of, text, parent)]),
  },
  id.map((of): Operation => ['deleteComment', (db) => db.deleteComment(of)]),
  fc.tuple(code, word).map(([of, label]): Operation => ['createTag', (db) => db.createTag(of, label)]),
  fc.tuple(code, code).map(([of, to]): Operation => ['renameTag', (db) => db.renameTag(of, to)]),
  fc
    .tuple(id, fc.uniqueArray(code, { maxLength: 3 }))
    .map(([of, codes]): Operation => ['setTags', (db) => db.setTags(of, codes)]),
  fc.tuple(id, code).map(([of, tag]): Operation => ['connectTag', (db) => db.connectTag(of, tag)]),
  fc.tuple(id, code).map(([of, tag]): Operation => ['disconnectTag', (db) => db.disconnectTag(of, tag)]),
  fc.tuple(id, id).map(([of, friend]): Operation => ['befriend', (db) => db.befriend(of, friend)]),
  fc
    .tuple(code, id, word)
    .map(([of, seat, note]): Operation => ['createMembership', (db) => db.createMembership(of, seat, note)]),
  fc
    .tuple(code, id, word)
    .map(
      ([of, seat, level]): Operation => [
        'updateMembership',
        (db) => db.updateMembership(of, seat, { level }),
      ],
    ),
  fc
    .tuple(code, id, id)
    .map(([of, seat, to]): Operation => ['moveMembership', (db) => db.moveMembership(of, seat, to)]),
  fc
    .tuple(code, id)
    .map(([of, seat]): Operation => ['deleteMembership', (db) => db.deleteMembership(of, seat)]),
  fc.tuple(code, word).map(([of, group]): Operation => ['createOrder', (db) => db.createOrder(of, group)]),
  fc
    .tuple(code, word)
    .map(([of, group]): Operation => ['updateOrder', (db) => db.updateOrder(of, { group })]),
];

/**
 * Rounds of flows; the flows of one round run at once.
 * @param statements raw SQL that comes in between
 */
export function createRandomRounds(
  statements: readonly string[],
): fc.Arbitrary<readonly (readonly Flow[])[]> {
  const raw = fc.constantFrom(...statements).map((sql): Operation => [sql, (db) => db.execute(sql)]);
  const operation = fc.oneof(...ormOperations, { weight: 6, arbitrary: raw });
  const plain: fc.Arbitrary<Flow> = fc
    .array(operation, { minLength: 1, maxLength: 5 })
    .map((operations) => ({ kind: 'plain', operations }));
  const nested: fc.Arbitrary<Flow> = fc.record({
    kind: fc.constantFrom('nested', 'nested-undone'),
    parts: fc.array(plain, { minLength: 1, maxLength: 2 }),
  });
  const transaction: fc.Arbitrary<Flow> = fc.record({
    kind: fc.constantFrom('transaction', 'transaction', 'undone'),
    parts: fc.array(fc.oneof({ weight: 3, arbitrary: plain }, nested), { minLength: 1, maxLength: 3 }),
  });

  return fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.tuple(fc.oneof(plain, transaction)) },
      { weight: 1, arbitrary: fc.array(fc.oneof(plain, transaction), { minLength: 2, maxLength: 4 }) },
    ),
    { minLength: 1, maxLength: 8 },
  );
}

/** What a flow does, for the message of a failure. */
export function describeFlow(flow: Flow): unknown {
  return flow.kind === 'plain'
    ? flow.operations.map(([name]) => name)
    : { [flow.kind]: flow.parts.map(describeFlow) };
}
