import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { createAuditExtension } from '@indelible/prisma';
import type { Contender, OpenContender, OpenOptions, RowRecord } from './contender.js';
import { createClient } from './plain.js';
import { isRow } from './row-trigger.js';

/** What an event calls a change, in the words of the records. */
export const OPERATIONS: Readonly<Record<string, RowRecord['operation']>> = {
  create: 'create',
  link: 'create',
  update: 'update',
  soft_delete: 'update',
  restore: 'update',
  delete: 'delete',
  unlink: 'delete',
};

/** This project, with the settings that it has by itself. */
export const indelible = {
  name: 'Indelible',
  prepare: async (url: string): Promise<void> => {
    const store = createPostgresStore({ url, roles: false });
    await store.migrate();
    await store.close();
  },
  open: (url: string, options: OpenOptions): Promise<OpenContender> => openIndelible(url, url, options),
  records: { sql: 'SELECT body FROM audit.audit_event ORDER BY id', read: readEvent },
  table: 'audit.audit_event',
} satisfies Contender;

/** @param way where the client finds the database; the store goes there itself */
export async function openIndelible(url: string, way: string, options: OpenOptions): Promise<OpenContender> {
  const spool = mkdtempSync(join(tmpdir(), 'indelible-bench-'));
  const store = createPostgresStore({ url, roles: false });
  const audit = createAudit({
    store,
    hmacKey: 'a benchmark key of more than thirty-two bytes',
    lifecycleEvents: false,
    spool: { directory: spool },
  });
  const client = createClient(way, options);
  client.$extends(createAuditExtension({ audit }));
  return {
    client,
    settle: () => audit.flush(),
    close: async () => {
      await client.$disconnect();
      await audit.close();
      await store.close();
      rmSync(spool, { recursive: true, force: true });
    },
  };
}

function readEvent({ body }: Readonly<Record<string, unknown>>): readonly RowRecord[] {
  if (!(body instanceof Uint8Array)) return [];
  const event: unknown = JSON.parse(Buffer.from(body).toString());
  if (!isRow(event) || !isRow(event.change) || !isRow(event.resource) || !isRow(event.actor)) return [];
  const { operation: told, before, after, fidelity } = event.change;
  const operation = OPERATIONS[String(told)];
  if (operation === undefined || fidelity !== 'exact') return [];
  const { type, id } = event.resource;
  const isLink = type === 'PostToTag';
  return [
    {
      model: isLink ? '_PostToTag' : String(type),
      id: isLink ? JSON.stringify(nameColumns(JSON.parse(String(id)))) : String(id),
      operation,
      ...(isRow(before) ? { before: isLink ? nameColumns(before) : before } : {}),
      ...(isRow(after) ? { after: isLink ? nameColumns(after) : after } : {}),
      actor: String(event.actor.id),
    },
  ];
}

/** Events name the two columns of a relation table by the models that they point at. */
function nameColumns(link: unknown): Record<string, unknown> {
  if (!isRow(link)) return {};
  return {
    ...('Post' in link ? { A: link.Post } : {}),
    ...('Tag' in link ? { B: link.Tag } : {}),
  };
}
