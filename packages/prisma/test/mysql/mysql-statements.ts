const NOW = "'2024-05-01 10:00:00.000'";

/** Statements on the domain whose effects are hard to tell. Names stand in double quotes, as in those of the other databases. */
export const MYSQL_STATEMENTS: readonly string[] = [
  `UPDATE "User" SET "visits" = "visits" + 1 WHERE "active"`,
  `UPDATE "User" SET "visits" = "visits" + 1 WHERE "active" ORDER BY "id" DESC LIMIT 2`,
  `UPDATE "posts" SET "id" = "id" + 7, "views" = "id" WHERE "id" % 2 = 1`,
  `UPDATE IGNORE "User" SET "email" = 'u1@a.test' WHERE "id" IN (1, 3)`,
  `UPDATE "Tag" SET "code" = CASE "code" WHEN 'a' THEN 'e' ELSE "code" END`,
  `UPDATE "Tag" SET "code" = 'b' WHERE "code" > 'a'`,
  `INSERT INTO "Tag" ("code", "label") VALUES ('a', 'new'), ('b', 'new') ON DUPLICATE KEY UPDATE "label" = VALUES("label")`,
  `INSERT IGNORE INTO "Tag" ("code", "label") SELECT "name", 'copied' FROM "User" WHERE "name" IS NOT NULL`,
  `INSERT INTO "Membership" ("org", "seat") VALUES ('a', 1), ('a', 1) ON DUPLICATE KEY UPDATE "level" = CONCAT("level", 'x')`,
  `REPLACE INTO "Membership" ("org", "seat", "note") VALUES ('a', 1, 'replaced'), ('b', 2, 'replaced')`,
  `INSERT INTO "User" ("email", "createdAt", "updatedAt") VALUES ('u5@a.test', ${NOW}, ${NOW})`,
  `DELETE FROM "User" WHERE "id" IN (SELECT "authorId" FROM "posts") AND "id" > 2`,
  `DELETE "posts" FROM "posts" JOIN "User" u ON u."id" = "posts"."authorId" WHERE u."active"`,
  `DELETE FROM "Comment" WHERE "parentId" IS NULL ORDER BY "id" LIMIT 1`,
  `UPDATE "posts" JOIN (SELECT "postId" AS p, COUNT(*) AS n FROM "Comment" GROUP BY 1) c ON c.p = "posts"."id" SET "posts"."views" = c.n`,
  `UPDATE "posts" p JOIN "User" u ON u."id" = p."authorId" SET p."views" = p."views" + 1, u."score" = 7`,
  `UPDATE "Membership" SET "seat" = "seat" + 1 WHERE "org" = 'x' ORDER BY "seat" DESC`,
  `UPDATE "User" SET "settings" = NULL, "score" = '1.0', "balance" = "balance" * 2, "name" = DEFAULT`,
  `UPDATE "User" SET "role" = 'ADMIN', "avatar" = x'00ff', "settings" = '{"a": [1, 2.50]}' WHERE "id" % 2 = 0`,
  `UPDATE nowhere SET x = 1`,
  `UPDATE "order" SET "Group" = UPPER("Group"), "total" = "total" + 1`,
  `DELETE FROM "_PostToTag" WHERE "A" % 2 = 0`,
  `SELECT "id" FROM "User" WHERE "active" FOR UPDATE`,
];
