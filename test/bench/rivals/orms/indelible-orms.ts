import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, createAudit } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { auditSequelize } from '@indelible/sequelize';
import { auditDataSource } from '@indelible/typeorm';
import type { RowRecord } from '../contender.js';
import { indelible, OPERATIONS } from '../indelible.js';
import { isRow } from '../row-trigger.js';
import { plainSequelize, plainTypeorm } from './plain-orms.js';
import type { OpenStore, OrmContender, RowStore } from './row-store.js';
import { createSequelize, createSequelizeStore, defineModels } from './sequelize-store.js';
import { createDataSource, createTypeormStore } from './typeorm-store.js';

const RECORDS: OrmContender['records'] = {
  sql: 'SELECT body FROM audit.audit_event ORDER BY id',
  read: (rows) => rows.flatMap(readEvent),
};

/** This project, with the settings that it has by itself. */
export const indelibleSequelize: OrmContender = {
  name: 'Indelible',
  prepare: async (url) => {
    await plainSequelize.prepare(url);
    await indelible.prepare(url);
  },
  open: (url, { pool }) =>
    withAudit(url, async (audit) => {
      const sequelize = auditSequelize(createSequelize(url, pool), { audit });
      const store = createSequelizeStore(sequelize, defineModels(sequelize));
      return { store, close: () => sequelize.close() };
    }),
  records: RECORDS,
  table: 'audit.audit_event',
};

export const indelibleTypeorm: OrmContender = {
  name: 'Indelible',
  prepare: async (url) => {
    await plainTypeorm.prepare(url);
    await indelible.prepare(url);
  },
  open: (url, { pool }) =>
    withAudit(url, async (audit) => {
      const dataSource = auditDataSource(createDataSource(url, { poolSize: pool }), { audit });
      await dataSource.initialize();
      return { store: createTypeormStore(dataSource.manager), close: () => dataSource.destroy() };
    }),
  records: RECORDS,
  table: 'audit.audit_event',
};

async function withAudit(
  url: string,
  open: (audit: Audit) => Promise<{ store: RowStore; close(): Promise<void> }>,
): Promise<OpenStore> {
  const spool = mkdtempSync(join(tmpdir(), 'indelible-bench-'));
  const auditStore = createPostgresStore({ url, roles: false });
  const audit = createAudit({
    store: auditStore,
    hmacKey: 'a benchmark key of more than thirty-two bytes',
    lifecycleEvents: false,
    spool: { directory: spool },
  });
  const { store, close } = await open(audit);
  return {
    store,
    settle: () => audit.flush(),
    close: async () => {
      await close();
      await audit.close();
      await auditStore.close();
      rmSync(spool, { recursive: true, force: true });
    },
  };
}

/** Relation tables have the names of the models in Sequelize, and their own in TypeORM. */
function readEvent(row: Readonly<Record<string, unknown>>): readonly RowRecord[] {
  const body: unknown =
    row.body instanceof Uint8Array ? JSON.parse(Buffer.from(row.body).toString()) : undefined;
  if (!isRow(body) || !isRow(body.change) || !isRow(body.resource) || !isRow(body.actor)) return [];
  const { operation: told, before, after, fidelity } = body.change;
  const operation = OPERATIONS[String(told)];
  if (operation === undefined || fidelity !== 'exact') return [];
  const { type, id } = body.resource;
  return [
    {
      model: String(type) === 'PostToTag' ? '_PostToTag' : String(type),
      id: String(id),
      operation,
      ...(isRow(before) ? { before } : {}),
      ...(isRow(after) ? { after } : {}),
      actor: String(body.actor.id),
    },
  ];
}
