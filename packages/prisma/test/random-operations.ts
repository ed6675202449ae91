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

const NOW = "'2024-05-01T10:00:00.000+00:00'";
const RAW: readonly string[] = [
  `UPDATE "User" SET "visits" = "visits" + 1 WHERE "active"`,
  `UPDATE OR IGNORE "User" SET "id" = "id" + 1`,
  `UPDATE OR REPLACE "User" SET "email" = 'u1@a.test' WHERE "id" IN (1, 3)`,
  `UPDATE OR REPLACE "posts" SET "id" = "id" % 3 + 1`,
  `UPDATE "Tag" SET "code" = CASE "code" WHEN 'a' THEN 'e' ELSE "code" END`,
  `UPDATE OR REPLACE "Tag" SET "code" = 'b' WHERE "code" > 'a'`,
  `INSERT OR REPLACE INTO "Tag" ("code", "label") VALUES ('a', 'new'), ('b', 'new')`,
  `INSERT OR IGNORE INTO "Tag" ("code", "label") SELECT "name", 'copied' FROM "User" WHERE "name" IS NOT NULL`,
  `INSERT INTO "User" ("email", "createdAt", "updatedAt") VALUES ('u5@a.test', ${NOW}, ${NOW}) ON CONFLICT ("email") DO UPDATE SET "name" = excluded."email", "id" = "id" + 10`,
  `REPLACE INTO "User" ("id", "email", "createdAt", "updatedAt") VALUES (2, 'u3@a.test', ${NOW}, ${NOW})`,
  `DELETE FROM "User" WHERE "id" IN (SELECT "authorId" FROM "posts") AND "id" > 2`,
  `WITH gone AS (SELECT "id" FROM "Comment" WHERE "parentId" IS NULL) DELETE FROM "Comment" WHERE "id" IN (SELECT "id" FROM gone) AND "id" % 2`,
  `UPDATE "posts" SET "views" = c.n FROM (SELECT "postId" AS p, count(*) AS n FROM "Comment" GROUP BY 1) AS c WHERE c.p = "posts"."id"`,
  `UPDATE "Membership" SET "seat" = "seat" + 1 WHERE "org" = 'x'`,
  `UPDATE OR REPLACE "Membership" SET "seat" = 1`,
  `UPDATE "User" SET "settings" = NULL, "score" = '1.0', "balance" = "balance" * 2`,
  `UPDATE nowhere SET x = 1`,
  `UPDATE "order" SET "Group" = upper("Group"), "total" = "total" + 1 RETURNING "id"`,
  `UPDATE OR FAIL "User" SET "email" = 'u2@a.test' WHERE "id" > 1`,
  `DELETE FROM "_PostToTag" WHERE rowid % 2`,
];

const operation: fc.Arbitrary<Operation> = fc.oneof(
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
  { weight: 6, arbitrary: fc.constantFrom(...RAW).map((sql): Operation => [sql, (db) => db.execute(sql)]) },
);

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

/** Rounds of flows; the flows of one round run at once. */
export const randomRounds: fc.Arbitrary<readonly (readonly Flow[])[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.tuple(fc.oneof(plain, transaction)) },
    { weight: 1, arbitrary: fc.array(fc.oneof(plain, transaction), { minLength: 2, maxLength: 4 }) },
  ),
  { minLength: 1, maxLength: 8 },
);

/** What a flow does, for the message of a failure. */
export function describeFlow(flow: Flow): unknown {
  return flow.kind === 'plain'
    ? flow.operations.map(([name]) => name)
    : { [flow.kind]: flow.parts.map(describeFlow) };
}
