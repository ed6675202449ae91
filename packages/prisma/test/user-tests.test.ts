import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runWithContext } from '@indelible/context';
import { createTestAudit, type TestAudit, watchWrites } from '@indelible/testing';
import { auditMatchers } from '@indelible/testing/vitest';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAuditExtension } from '../src/index.js';
import { PrismaClient } from './generated/client.js';
import { createAdapter } from './test-adapters.js';

expect.extend(auditMatchers);

const SCHEMA = readFileSync(new URL('./prisma/schema.sql', import.meta.url), 'utf8');
const ADA = { actor: { type: 'user', id: 'ada' } } as const;

let directory: string;
let file: string;
let raw: Database.Database;
let log: TestAudit;
let prisma: PrismaClient;

function openClient(): PrismaClient {
  return new PrismaClient({
    adapter: createAdapter('libsql', file, () => undefined),
    errorFormat: 'minimal',
  });
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'indelible-user-tests-'));
  file = join(directory, 'app.db');
  raw = new Database(file);
  raw.exec(SCHEMA);
  prisma = openClient();
});

afterEach(async () => {
  await prisma.$disconnect();
  await log.audit.close();
  raw.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the tests of an application on Prisma', () => {
  beforeEach(async () => {
    log = createTestAudit({ store: 'orm' });
    prisma.$extends(createAuditExtension({ audit: log.audit }));
    await log.audit.migrate();
  });

  const tables = () => ({
    User: () => prisma.user.findMany(),
    Membership: { rows: () => prisma.membership.findMany(), key: ['org', 'seat'] },
  });

  test('say exactly which changes a piece of work has recorded', async () => {
    await runWithContext(ADA, async () => {
      const user = await prisma.user.create({ data: { email: 'bo@clinic.example' } });
      await prisma.user.update({ where: { id: user.id }, data: { name: 'Bo' } });
    });
    await expect(log).toHaveRecordedExactly([
      { action: 'user.created', actor: ADA.actor, change: { after: { email: 'bo@clinic.example' } } },
      {
        action: 'user.updated',
        change: { before: { name: null }, after: { name: 'Bo' }, fields: ['name', 'updatedAt'] },
      },
    ]);
    await expect(log).toVerify();
  });

  test('find no write past the audit where there is none, with values of every kind', async () => {
    await prisma.user.create({ data: { email: 'old@clinic.example', balance: '1.10' } });
    await prisma.membership.create({ data: { org: 'north', seat: 1 } });
    const writes = await watchWrites(log, tables());
    const user = await prisma.user.create({
      data: {
        email: 'cy@clinic.example',
        password: 'hunter22',
        score: 1.5,
        balance: '12.50',
        visits: 9007199254740993n,
        avatar: Uint8Array.from([1, 2, 3]),
        settings: { theme: ['dark', { size: 1 }] },
        deletedAt: null,
      },
    });
    await prisma.$transaction(async (tx) => {
      await tx.user.update({
        where: { id: user.id },
        data: { visits: { increment: 1 }, deletedAt: new Date() },
      });
      await tx.user.updateMany({ where: { email: 'old@clinic.example' }, data: { balance: '2.00' } });
      await tx.membership.update({ where: { org_seat: { org: 'north', seat: 1 } }, data: { seat: 2 } });
      await tx.membership.create({ data: { org: 'north', seat: 3 } });
    });
    await prisma.membership.delete({ where: { org_seat: { org: 'north', seat: 3 } } });
    await expect(writes).toHaveNoUnauditedWrite();
  });

  test('find one by a client that is not audited, and by a connection that is no client', async () => {
    const user = await prisma.user.create({ data: { email: 'bo@clinic.example' } });
    const writes = await watchWrites(log, tables());
    const plain = openClient();
    await plain.user.update({ where: { id: user.id }, data: { name: 'Mallory' } });
    await plain.$disconnect();
    raw.exec('INSERT INTO "Membership" (org, seat) VALUES (\'north\', 7)');
    expect(await writes.unaudited()).toMatchObject([
      { type: 'User', id: String(user.id), operation: 'update', fields: ['name', 'updatedAt'] },
      { type: 'Membership', id: '{"org":"north","seat":7}', operation: 'create' },
    ]);
    await expect(writes).not.toHaveNoUnauditedWrite();
  });
});

describe('an application that demands an actor', () => {
  beforeEach(async () => {
    log = createTestAudit({ store: `file:${file}`, onMissingActor: 'throw' });
    prisma.$extends(createAuditExtension({ audit: log.audit }));
    await log.audit.migrate();
  });
  const emails = () => raw.prepare('SELECT email FROM "User" ORDER BY id').raw().all().flat();
  const refusal = expect.objectContaining({ code: 'AUDIT_ACTOR_MISSING' });

  test('is refused a write outside of any context, alone and in a transaction, and nothing is written', async () => {
    await expect(prisma.user.create({ data: { email: 'a@clinic.example' } })).rejects.toEqual(refusal);
    const transaction = prisma.$transaction(async (tx) => {
      await tx.user.create({ data: { email: 'b@clinic.example' } });
      await tx.user.create({ data: { email: 'c@clinic.example' } });
    });
    await expect(transaction).rejects.toEqual(refusal);
    await expect(
      prisma.$executeRaw`INSERT INTO "User" (email, "updatedAt") VALUES ('d@clinic.example', 0)`,
    ).rejects.toEqual(refusal);
    expect(emails()).toEqual([]);
    await expect(log).toHaveRecordedExactly([]);
  });

  test('may write where somebody acts, also after a refusal, and read without anybody', async () => {
    await expect(prisma.user.create({ data: { email: 'a@clinic.example' } })).rejects.toEqual(refusal);
    await runWithContext(ADA, () => prisma.user.create({ data: { email: 'b@clinic.example' } }));
    expect(await prisma.user.count()).toBe(1);
    expect(emails()).toEqual(['b@clinic.example']);
    await expect(log).toHaveRecordedExactly([{ action: 'user.created', actor: ADA.actor }]);
  });

  test('may pause the audit without an actor only where the pause has one', async () => {
    const pause = () =>
      log.audit.without(() => prisma.user.create({ data: { email: 'a@clinic.example' } }), {
        reason: 'import',
      });
    await expect(pause()).rejects.toEqual(refusal);
    expect(emails()).toEqual([]);
    await runWithContext(ADA, pause);
    expect(emails()).toEqual(['a@clinic.example']);
    await expect(log).toHaveRecordedExactly([{ action: 'audit.paused' }, { action: 'audit.resumed' }]);
  });
});
