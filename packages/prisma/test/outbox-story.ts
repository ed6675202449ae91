import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAudit, readBody } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { type AuditExtension, createAuditExtension } from '../src/index.js';
import { HMAC_KEY } from './prisma-harness.js';
import type { Client } from './prisma-operations.js';
import { getLibrary } from './sqlite-libraries.js';

const PATIENCE = { timeout: 15_000, interval: 20 };

/** The application's database on a server. */
export interface OutboxSide {
  /** A client with a pool of so many connections. */
  createClient(pool: number, extension: AuditExtension): Client;
  /** Where the adapter does not tell it. */
  readonly databaseUrl?: string;
  /** Rows of these tables, past everything of ours. */
  counts(): Promise<{ readonly outbox: number; readonly events: number; readonly tags: number }>;
  drop(): Promise<void>;
}

const tag = (code: string) => ({ data: { code, label: 'x' } });

/** An ORM on a server, whose log is in a file: through the outbox in its own database. */
export function outboxStory(open: () => Promise<OutboxSide>): void {
  const apart = async (pool: number) => {
    const side = await open();
    const directory = mkdtempSync(join(tmpdir(), 'indelible-outbox-'));
    const before = process.cwd();
    // The package of the store is found as an application's own.
    process.chdir(fileURLToPath(new URL('..', import.meta.url)));
    const place = mkdtempSync(join(directory, 'log-'));
    const errors: Error[] = [];
    const audit = createAudit({
      store: createSqliteStore({ file: join(place, 'audit.db'), driver: 'libsql' }),
      hmacKey: HMAC_KEY,
      lifecycleEvents: false,
      relay: 'own',
      spool: { directory: join(directory, 'spool') },
      onError: (error) => errors.push(error),
    });
    const { databaseUrl } = side;
    const told = databaseUrl === undefined ? {} : { databaseUrl };
    const prisma = side.createClient(pool, createAuditExtension({ audit, ...told }));
    onTestFinished(async () => {
      await prisma.$disconnect();
      await audit.close();
      await side.drop();
      process.chdir(before);
      rmSync(directory, { recursive: true, force: true });
    });
    await audit.migrate();
    const logged = (): string[] => {
      const { Database } = getLibrary('libsql');
      const database = new Database(join(place, 'audit.db'));
      try {
        const rows = database.prepare('SELECT body FROM audit_event ORDER BY id').raw().all() as [
          Uint8Array,
        ][];
        return rows.map(([body]) => readBody(body)).map((event) => `${event.action} ${event.resource?.id}`);
      } finally {
        database.close();
      }
    };
    return {
      ...side,
      prisma,
      audit,
      errors,
      logged,
      away: () => {
        renameSync(place, `${place}.away`);
        return () => renameSync(`${place}.away`, place);
      },
    };
  };

  for (const pool of [1, 5]) {
    test(`a store elsewhere gets what the ORM commits, and nothing that it does not, with a pool of ${pool}`, async () => {
      const { prisma, audit, logged, counts, errors } = await apart(pool);
      await prisma.tag.create(tag('a'));
      await prisma.$transaction(async (tx) => {
        await tx.tag.create(tag('b'));
        await audit.record(
          { action: 'invoice.sent', category: 'data', resource: { type: 'Invoice', id: '7' } },
          { tx },
        );
        await tx.tag.update({ where: { code: 'a' }, data: { label: 'y' } });
      });
      await expect(
        prisma.$transaction(async (tx) => {
          await tx.tag.create(tag('c'));
          throw new Error('undo');
        }),
      ).rejects.toThrow('undo');
      await prisma.tag.createMany({ data: ['d', 'e', 'f'].map((code) => tag(code).data) });
      await audit.flush();
      expect(logged()).toEqual([
        'tag.created a',
        'tag.created b',
        'invoice.sent 7',
        'tag.updated a',
        'tag.created d',
        'tag.created e',
        'tag.created f',
      ]);
      expect(await counts()).toEqual({ outbox: 0, events: 0, tags: 5 });
      expect(audit.health()).toMatchObject({
        ok: true,
        recorded: 7,
        pending: 0,
        sealed: 7,
        relay: { by: 'own', moved: 7, waiting: 0, refused: 0, lastError: null },
      });
      expect((await audit.verify()).map(({ result, size }) => ({ result, size }))).toEqual([
        { result: 'valid', size: 7 },
      ]);
      expect(errors).toEqual([]);
    });
  }

  test('while the store is away the ORM goes on writing, health tells of the lag, and all comes in order when it is back', async () => {
    const { prisma, audit, logged, counts, away } = await apart(2);
    await prisma.tag.create(tag('a'));
    await audit.flush();
    const back = away();
    for (const code of ['b', 'c', 'd']) await prisma.tag.create(tag(code));
    await expect.poll(() => audit.health().relay?.lastError, PATIENCE).not.toBeNull();
    expect(await counts()).toEqual({ outbox: 3, events: 0, tags: 4 });
    expect(await audit.checkHealth()).toMatchObject({
      ok: false,
      recorded: 4,
      lost: 0,
      relay: { waiting: 3, moved: 1, oldestWaitingMs: expect.any(Number), outbox: { waiting: 3 } },
      store: { reachable: false },
    });
    back();
    await expect.poll(async () => (await counts()).outbox, PATIENCE).toBe(0);
    expect(logged()).toEqual(['a', 'b', 'c', 'd'].map((code) => `tag.created ${code}`));
    await audit.flush();
    expect(await audit.checkHealth()).toMatchObject({
      ok: true,
      sealed: 4,
      relay: {
        waiting: 0,
        oldestWaitingMs: null,
        lastError: null,
        outbox: { waiting: 0, oldestMs: null },
      },
    });
  });
}
