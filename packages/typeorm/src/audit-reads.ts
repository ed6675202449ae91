import { type CaptureDialect, idOfRow, RawReads, ReadCollector } from '@indelible/capture';
import { type Audit, AuditError } from '@indelible/core';
import type { DataSource, EntityMetadata } from 'typeorm';
import { type Builder, listenToReads } from './reach-reads.js';

/** An entity as reads are told of it. */
interface ReadEntity {
  readonly model: string;
  readonly key: readonly string[];
  readonly metadata: EntityMetadata;
}

type JoinAttribute = Builder['expressionMap']['joinAttributes'][number];

/** Records who is shown rows of these entities. */
export function auditReads(
  dataSource: DataSource,
  reads: readonly string[],
  audit: () => Audit,
  dialect: CaptureDialect,
): void {
  const collector = new ReadCollector(reads, audit);
  const checked = new WeakSet<object>();
  const entityOf = (metadata: EntityMetadata): ReadEntity | undefined => {
    checkNames(dataSource, reads, audit, checked);
    const root = rootOf(metadata);
    if (!collector.covers(root.name)) return undefined;
    return {
      model: root.name,
      key: metadata.primaryColumns.map(({ propertyPath }) => propertyPath),
      metadata,
    };
  };
  const tables = () =>
    dataSource.entityMetadatas.flatMap((metadata) => {
      const entity = entityOf(metadata);
      return entity === undefined ? [] : [{ ...entity, table: metadata.tableName }];
    });
  const raw = new RawReads(collector, dialect, tables);
  const noteEntities = (metadata: EntityMetadata, rows: readonly object[]): Promise<void> | undefined => {
    const entity = entityOf(metadata);
    if (entity === undefined) return undefined;
    const ids = rows.map((row) => idOfEntity(entity, row));
    const known = ids.filter((id) => id !== undefined);
    return collector.note({ ...entity, ids: known, unknown: ids.length - known.length });
  };
  const walk = async ({ expressionMap }: Builder, alias: string, rows: readonly object[]): Promise<void> => {
    for (const join of expressionMap.joinAttributes) {
      if (join.metadata === undefined || parentOf(join) !== alias) continue;
      const joined = rows.flatMap((row) => valuesOf(join, row));
      if (joined.length === 0) continue;
      await noteEntities(join.metadata, joined);
      await walk({ expressionMap } as Builder, join.alias.name, joined);
    }
  };
  listenToReads(dataSource, {
    entities: async (builder, rows) => {
      const { mainAlias } = builder.expressionMap;
      if (mainAlias === undefined || rows.length === 0) return;
      if (mainAlias.hasMetadata) await noteEntities(mainAlias.metadata, rows);
      await walk(builder, mainAlias.name, rows);
    },
    rows: async (builder, rows) => {
      if (rows.length === 0 || countsOnly(builder)) return;
      for (const { metadata, name } of shownAliases(builder)) {
        const entity = entityOf(metadata);
        if (entity === undefined) continue;
        const ids = rows.map((row) => idOfRaw(entity, name, row));
        const known = ids.filter((id) => id !== undefined);
        await collector.note({ ...entity, ids: known, unknown: ids.length - known.length });
      }
    },
    stream: async (builder) => raw.note(builder.getQuery()),
    raw: async (sql) => raw.note(sql),
  });
}

/** Entities are known once the data source has read them; a name that is none of theirs would be silence. */
function checkNames(
  dataSource: DataSource,
  reads: readonly string[],
  audit: () => Audit,
  checked: WeakSet<object>,
): void {
  const { entityMetadatas } = dataSource;
  if (checked.has(entityMetadatas)) return;
  checked.add(entityMetadatas);
  const names = new Set(entityMetadatas.map((metadata) => rootOf(metadata).name));
  for (const name of reads) {
    if (names.has(name)) continue;
    audit().reportError(
      new AuditError(
        'AUDIT_CONFIG_INVALID',
        'typeorm',
        `option "reads": there is no entity ${JSON.stringify(name)}`,
        {
          next: 'An entity that inherits its table is named as the one that it inherits from.',
        },
      ),
    );
  }
}

/** As in the events of changes: entities that share a table go by the name of the one that the others inherit from. */
function rootOf(metadata: EntityMetadata): EntityMetadata {
  const { tableType, parentEntityMetadata } = metadata;
  return tableType === 'entity-child' && parentEntityMetadata !== undefined
    ? rootOf(parentEntityMetadata)
    : metadata;
}

/** What was stored is what a row is known by, and not what a transformer makes of it. */
function idOfEntity({ metadata, key }: ReadEntity, row: object): string | undefined {
  return idOfRow(key, (path) => {
    const column = metadata.primaryColumns.find(({ propertyPath }) => propertyPath === path);
    return column?.getEntityValue(row, true) as unknown;
  });
}

function idOfRaw({ metadata, key }: ReadEntity, alias: string, row: unknown): string | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  return idOfRow(key, (path) => {
    const column = metadata.primaryColumns.find(({ propertyPath }) => propertyPath === path);
    return column === undefined ? undefined : Reflect.get(row, `${alias}_${column.databaseName}`);
  });
}

function parentOf({ parentAlias, mapToPropertyParentAlias }: JoinAttribute): string | undefined {
  return mapToPropertyParentAlias ?? parentAlias;
}

/** What a join has put into a row, where the query selects it. */
function valuesOf(join: JoinAttribute, row: object): object[] {
  const { relation, mapToPropertyPropertyName: mapped } = join;
  const found: unknown = mapped === undefined ? relation?.getEntityValue(row) : Reflect.get(row, mapped);
  return (Array.isArray(found) ? found : [found]).filter(
    (value): value is object => typeof value === 'object' && value !== null,
  );
}

const COUNT = /^\s*count\s*\(/i;

function countsOnly({ expressionMap: { selects } }: Builder): boolean {
  return selects.length > 0 && selects.every(({ selection }) => COUNT.test(selection));
}

/** The aliases of entities of which a query selects anything. */
function shownAliases({ expressionMap }: Builder): { name: string; metadata: EntityMetadata }[] {
  return expressionMap.aliases.flatMap((alias) => {
    // Asked for what it does not have, an alias throws.
    if (!alias.hasMetadata) return [];
    const { name, metadata } = alias;
    const isShown = expressionMap.selects.some(({ selection }) => namesAlias(selection, name));
    // Without any alias in front of it a column may be of each.
    const isBare = expressionMap.selects.some(
      ({ selection }) => !selection.includes('.') && selection !== name,
    );
    return isShown || (isBare && name === expressionMap.mainAlias?.name) ? [{ name, metadata }] : [];
  });
}

function namesAlias(selection: string, alias: string): boolean {
  return selection === alias || selection.includes(`${alias}.`) || selection.includes(`${alias}"`);
}
