import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, createAudit } from '@indelible/core';
import { createAuditExtension } from '@indelible/prisma';
import { createSqliteStore } from '@indelible/sqlite';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import Database from 'libsql';
import { PrismaClient } from './generated/client.js';

const TABLES = `
CREATE TABLE "Item" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "code" TEXT NOT NULL, "name" TEXT NOT NULL,
  "note" TEXT, "status" TEXT NOT NULL DEFAULT 'new', "price" REAL NOT NULL DEFAULT 0, "stock" INTEGER NOT NULL DEFAULT 0,
  "active" BOOLEAN NOT NULL DEFAULT true, "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, "updatedAt" DATETIME NOT NULL);
CREATE UNIQUE INDEX "Item_code_key" ON "Item"("code");
CREATE TABLE "HandLog" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "time" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "actor" TEXT NOT NULL, "action" TEXT NOT NULL, "itemId" INTEGER NOT NULL, "before" TEXT NOT NULL, "after" TEXT NOT NULL);
`;

export interface ItemDatabase {
  /** Extending a client audits it too; this one has the simpler types. */
  readonly client: InstanceType<typeof PrismaClient>;
  readonly raw: Database.Database;
  readonly file: string;
  readonly audit: Audit | undefined;
  close(): Promise<void>;
}

/** A fresh file with `rows` items, in WAL mode with synchronous FULL, and a client on it. */
export async function openItems(rows: number, audited: boolean): Promise<ItemDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-bench-'));
  const file = join(directory, 'bench.db');
  const raw = new Database(file);
  raw.exec('PRAGMA journal_mode = WAL');
  raw.exec(TABLES);
  raw.exec('BEGIN');
  const insert = raw.prepare('INSERT INTO "Item"("code","name","note","updatedAt") VALUES (?,?,?,?)');
  const now = new Date().toISOString();
  for (let row = 0; row < rows; row += 1)
    insert.run(`code-${row}`, `Item ${row}`, `A note on item ${row}`, now);
  raw.exec('COMMIT');
  const base = new PrismaClient({ adapter: new PrismaLibSql({ url: `file:${file}` }) });
  const finish = async (): Promise<void> => {
    await base.$disconnect();
    raw.close();
    rmSync(directory, { recursive: true, force: true });
  };
  if (!audited) return { client: base, raw, file, audit: undefined, close: finish };
  const store = createSqliteStore({ file, driver: 'libsql' });
  const audit = createAudit({
    store,
    hmacKey: 'a benchmark key of more than thirty-two bytes',
    lifecycleEvents: false,
    spool: { directory: join(directory, 'spool') },
  });
  await audit.migrate();
  base.$extends(createAuditExtension({ audit }));
  return {
    client: base,
    raw,
    file,
    audit,
    close: async () => {
      await audit.close();
      await store.close();
      await finish();
    },
  };
}
