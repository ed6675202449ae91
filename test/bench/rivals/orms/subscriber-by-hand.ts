import {
  type EntityManager,
  type EntityMetadata,
  EntitySchema,
  type EntitySubscriberInterface,
  EventSubscriber,
  type InsertEvent,
  type RemoveEvent,
  type UpdateEvent,
} from 'typeorm';
import type { RowRecord } from '../contender.js';
import { currentActor } from '../plain.js';
import { isRow } from '../row-trigger.js';
import type { OrmContender } from './row-store.js';
import { createDataSource, createTypeormStore, ENTITIES } from './typeorm-store.js';

interface LogRow {
  id: number;
  actor: string | null;
  action: RowRecord['operation'];
  entity: string;
  entityId: object | null;
  before: object | null;
  after: object | null;
}

const AuditLog = new EntitySchema<LogRow>({
  name: 'AuditLog',
  tableName: 'AuditLog',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    actor: { type: 'text', nullable: true },
    action: { type: 'text' },
    entity: { type: 'text' },
    entityId: { type: 'jsonb', nullable: true },
    before: { type: 'jsonb', nullable: true },
    after: { type: 'jsonb', nullable: true },
  },
});

/**
 * The subscriber that articles show, at its best: with the entity as the database had it, and written by the event's own
 * manager, so in its transaction.
 */
class LoggingSubscriber implements EntitySubscriberInterface {
  afterInsert({ manager, metadata, entity }: InsertEvent<object>) {
    return this.#log(manager, metadata, 'create', undefined, entity);
  }

  afterUpdate({ manager, metadata, databaseEntity, entity }: UpdateEvent<object>) {
    return this.#log(manager, metadata, 'update', databaseEntity, entity);
  }

  afterRemove({ manager, metadata, databaseEntity }: RemoveEvent<object>) {
    return this.#log(manager, metadata, 'delete', databaseEntity, undefined);
  }

  async #log(
    manager: EntityManager,
    metadata: EntityMetadata,
    action: LogRow['action'],
    before: object | undefined,
    after: object | undefined,
  ): Promise<void> {
    if (metadata.name === 'AuditLog') return;
    const row = (entity: object | undefined) =>
      entity === undefined
        ? null
        : Object.fromEntries(
            metadata.columns.map((column) => [column.databaseName, column.getEntityValue(entity) ?? null]),
          );
    const entity = after ?? before;
    await manager.insert(AuditLog, {
      actor: currentActor.getStore() ?? null,
      action,
      entity: metadata.tableName,
      entityId: entity === undefined ? null : (metadata.getEntityIdMap(entity) ?? null),
      before: row(before),
      after: row(after),
    });
  }
}

// As its decorator does.
EventSubscriber()(LoggingSubscriber);

function withSubscriber(url: string, pool: number) {
  return createDataSource(url, {
    poolSize: pool,
    entities: [...ENTITIES, AuditLog],
    subscribers: [LoggingSubscriber],
  });
}

export const subscriberByHand: OrmContender = {
  name: 'subscriber by hand',
  prepare: async (url) => {
    const dataSource = await withSubscriber(url, 1).initialize();
    await dataSource.synchronize();
    await dataSource.destroy();
  },
  open: async (url, { pool }) => {
    const dataSource = await withSubscriber(url, pool).initialize();
    return {
      store: createTypeormStore(dataSource.manager),
      settle: async () => {},
      close: () => dataSource.destroy(),
    };
  },
  records: { sql: 'SELECT * FROM "AuditLog" ORDER BY id', read: (rows) => rows.flatMap(readLog) },
  table: '"AuditLog"',
};

function readLog({ action, entity, entityId, before, after, actor }: Readonly<Record<string, unknown>>) {
  if (action !== 'create' && action !== 'update' && action !== 'delete') return [];
  const ids = isRow(entityId) ? entityId : {};
  const record: RowRecord = {
    model: String(entity),
    id: Object.keys(ids).length === 1 ? String(Object.values(ids)[0]) : JSON.stringify(ids),
    operation: action,
    ...(isRow(before) ? { before } : {}),
    ...(isRow(after) ? { after } : {}),
    actor: typeof actor === 'string' ? actor : null,
  };
  return [record];
}
