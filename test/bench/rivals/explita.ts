import { createRequire } from 'node:module';
import { auditLogExtension } from '@explita/prisma-audit-log';
import type { Client, Contender, RowRecord } from './contender.js';
import { createClient, currentActor } from './plain.js';
import { isRow } from './row-trigger.js';

const OPERATIONS: Readonly<Record<string, RowRecord['operation']>> = {
  CREATE: 'create',
  CREATE_upsert: 'create',
  UPDATE: 'update',
  UPDATE_upsert: 'update',
  DELETE: 'delete',
};

const manifest: unknown = createRequire(import.meta.url)('@explita/prisma-audit-log/package.json');

/** With the table of its README, and the actor in the way that it asks for one. */
export const explita: Contender = {
  name: `@explita/prisma-audit-log ${isRow(manifest) ? String(manifest.version) : ''}`,
  prepare: async () => {},
  open: async (url, options) => {
    const base = createClient(url, options);
    const extended = base.$extends(
      auditLogExtension({ getContext: () => ({ userId: currentActor.getStore() ?? 'unknown' }) }),
    );
    return {
      // Its types lose those of the client.
      client: extended as unknown as Client,
      settle: async () => {},
      close: () => base.$disconnect(),
    };
  },
  records: { sql: 'SELECT * FROM "audit_logs" ORDER BY ctid', read: readRow },
  table: 'audit_logs',
};

function readRow(row: Readonly<Record<string, unknown>>): readonly RowRecord[] {
  const operation = OPERATIONS[String(row.action)];
  if (operation === undefined) return [];
  const { old_data: before, new_data: after, user_id: actor } = row;
  return [
    {
      model: String(row.model),
      id: String(row.record_id),
      operation,
      ...(isRow(before) ? { before } : {}),
      ...(isRow(after) ? { after } : {}),
      actor: typeof actor === 'string' ? actor : null,
    },
  ];
}
