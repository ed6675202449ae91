const NOW = "'2024-05-01T10:00:00.000+00:00'";
/** Statements on the domain whose effects are hard to tell. */
export const SQLITE_STATEMENTS: readonly string[] = [
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
