-- The tables of schema.prisma, as Prisma itself would make them.
CREATE TABLE "Item" ("id" TEXT PRIMARY KEY, "code" TEXT NOT NULL, "name" TEXT NOT NULL, "note" TEXT,
  "status" TEXT NOT NULL DEFAULT 'new', "price" DOUBLE PRECISION NOT NULL DEFAULT 0, "stock" INTEGER NOT NULL DEFAULT 0,
  "active" BOOLEAN NOT NULL DEFAULT true, "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL);
CREATE UNIQUE INDEX "Item_code_key" ON "Item"("code");
CREATE TABLE "HandLog" ("id" SERIAL PRIMARY KEY, "time" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, "actor" TEXT NOT NULL,
  "action" TEXT NOT NULL, "model" TEXT NOT NULL, "rowId" TEXT, "before" JSONB, "after" JSONB);
CREATE TABLE "audit_logs" ("id" TEXT PRIMARY KEY, "user_id" TEXT, "record_id" TEXT NOT NULL, "action" TEXT NOT NULL,
  "model" TEXT NOT NULL, "old_data" JSONB, "new_data" JSONB, "changed_fields" TEXT[], "ip_address" TEXT, "user_agent" TEXT,
  "metadata" JSONB, "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE "User" ("id" TEXT PRIMARY KEY, "email" TEXT NOT NULL, "name" TEXT, "visits" INTEGER NOT NULL DEFAULT 0,
  "active" BOOLEAN NOT NULL DEFAULT true, "settings" JSONB,
  "managerId" TEXT REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE);
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
CREATE TABLE "Post" ("id" TEXT PRIMARY KEY, "title" TEXT NOT NULL,
  "authorId" TEXT NOT NULL REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE "Comment" ("id" TEXT PRIMARY KEY, "text" TEXT NOT NULL,
  "postId" TEXT NOT NULL REFERENCES "Post"("id") ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE "Tag" ("id" TEXT PRIMARY KEY, "label" TEXT NOT NULL);
CREATE TABLE "_PostToTag" ("A" TEXT NOT NULL REFERENCES "Post"("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "B" TEXT NOT NULL REFERENCES "Tag"("id") ON DELETE CASCADE ON UPDATE CASCADE, PRIMARY KEY ("A", "B"));
CREATE INDEX "_PostToTag_B_index" ON "_PostToTag"("B");
CREATE TABLE "Membership" ("org" TEXT NOT NULL, "seat" INTEGER NOT NULL, "level" TEXT NOT NULL DEFAULT 'basic',
  PRIMARY KEY ("org", "seat"));
