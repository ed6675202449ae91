import {
  type FieldNaming,
  type FieldType,
  foldName,
  type ModelCaptureOptions,
  type ModelNaming,
  type NameModel,
  typeFromDeclaration,
} from '@indelible/capture';
import type { DataSource, EntityMetadata } from 'typeorm';
import { isPropertyNotAudited, readAudited } from './audited.js';
import type { DriverProfile } from './driver-profile.js';

type ColumnMetadata = EntityMetadata['columns'][number];

interface PlacedNaming {
  readonly schema: string | null;
  readonly table: string;
  readonly naming: ModelNaming;
}

/** Names tables and columns as the entities of a data source do, once it has read them. */
export function createNameModel(dataSource: DataSource, profile: DriverProfile): NameModel {
  let described: readonly EntityMetadata[] | undefined;
  let find: NameModel = () => undefined;
  return (table) => {
    // A data source that is initialized again reads its entities again.
    if (described !== dataSource.entityMetadatas) {
      described = dataSource.entityMetadatas;
      find = nameEntities(dataSource, profile);
    }
    return find(table);
  };
}

function nameEntities(dataSource: DataSource, profile: DriverProfile): NameModel {
  const { foldsNames } = profile;
  const main = profile.defaultSchema(dataSource);
  const fold = foldsNames ? foldName : (name: string) => name;
  const placed = [...describeEntities(dataSource, profile), ...ownTables(dataSource, main)];
  const taken = new Set(placed.map(({ naming }) => naming.name));
  return ({ schema: given, name }) => {
    const schema = foldsNames ? null : (given ?? main);
    const found = placed.find((entity) => entity.schema === schema && fold(entity.table) === fold(name));
    if (found !== undefined) return found.naming;
    if (foldsNames && isCopy(name, placed)) return { name, fields: new Map(), isLink: false, capture: false };
    // A table that is no entity's is never told as one, whatever it is called.
    if (schema === main && !taken.has(name)) return undefined;
    return {
      name: schema === null ? `table ${name}` : `${schema}.${name}`,
      fields: new Map(),
      isLink: false,
    };
  };
}

/** To change a table of SQLite TypeORM copies its rows to one that then takes its place. */
function isCopy(name: string, placed: readonly PlacedNaming[]): boolean {
  const copied = /^temporary_(.+)$/i.exec(name)?.[1];
  return copied !== undefined && placed.some(({ table }) => foldName(table) === foldName(copied));
}

function describeEntities(dataSource: DataSource, profile: DriverProfile): PlacedNaming[] {
  const tables = new Map<string, EntityMetadata[]>();
  for (const metadata of dataSource.entityMetadatas) {
    if (metadata.tableType !== 'view')
      tables.set(metadata.tablePath, [...(tables.get(metadata.tablePath) ?? []), metadata]);
  }
  const names = [...tables.values()].map((sharing) => nameOf(rootOf(sharing)));
  return [...tables.values()].map((sharing): PlacedNaming => {
    const root = rootOf(sharing);
    const { tableName: table, tableType } = root;
    const schema = profile.schemaOf(root, dataSource);
    const name = nameOf(root);
    // Two entities of one name are told apart by where their tables stand.
    const isTaken = names.filter((other) => other === name).length > 1;
    const fields = new Map<string, FieldNaming>();
    for (const column of sharing.flatMap(({ columns }) => columns))
      addField(fields, column, dataSource, profile.foldsNames);
    const naming: ModelNaming = {
      name: isTaken ? root.tablePath : name,
      fields,
      isLink: tableType === 'junction',
      capture: captureOf(sharing),
    };
    return { schema, table, naming };
  });
}

/** Entities that share a table are told by the name of the one that the others inherit from. */
function rootOf(sharing: readonly EntityMetadata[]): EntityMetadata {
  const root = sharing.find(({ tableType }) => tableType !== 'entity-child') ?? sharing[0];
  if (root === undefined) throw new TypeError('a table is that of an entity');
  return root;
}

/** What TypeORM itself makes a table for has no other name than that. */
function nameOf({ tableType, name, tableName }: EntityMetadata): string {
  return tableType === 'junction' || tableType === 'closure-junction' ? tableName : name;
}

function captureOf(sharing: readonly EntityMetadata[]): ModelCaptureOptions | false {
  const root = rootOf(sharing);
  const own = readAudited(root.target);
  if (own === false) return false;
  const exclude = sharing.flatMap((metadata) => {
    const said = readAudited(metadata.target);
    // Rows of the other entities that share the table are audited: what is left out is what only this one has.
    if (said === false)
      return metadata.columns
        .filter(({ target }) => target === metadata.target)
        .map(({ propertyPath }) => propertyPath);
    const named = said?.exclude ?? [];
    return metadata.columns
      .filter((column) => isLeftOut(column) || named.some((path) => isWithin(column.propertyPath, path)))
      .map(({ propertyPath }) => propertyPath);
  });
  const softDelete = own?.softDelete ?? root.deleteDateColumn?.propertyPath;
  return { exclude, ...(softDelete === undefined ? {} : { softDelete }) };
}

/** `@NotAudited()` stands at the property, at its relation, or at an embedded one that it is part of. */
function isLeftOut({ target, propertyName, relationMetadata, embeddedMetadata }: ColumnMetadata): boolean {
  if (isPropertyNotAudited(target, propertyName)) return true;
  if (relationMetadata !== undefined) {
    if (isPropertyNotAudited(relationMetadata.target, relationMetadata.propertyName)) return true;
  }
  const embeddeds = embeddedMetadata?.embeddedMetadataTree ?? [];
  return embeddeds.some(({ entityMetadata, parentEmbeddedMetadata, propertyName: name }) =>
    isPropertyNotAudited(parentEmbeddedMetadata?.type ?? entityMetadata.target, name),
  );
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`);
}

function addField(
  fields: Map<string, FieldNaming>,
  column: ColumnMetadata,
  { driver }: DataSource,
  folds: boolean,
): void {
  if (column.isVirtualProperty || fields.has(column.databaseName)) return;
  const field = { name: column.propertyPath, type: fieldType(column, driver.normalizeType(column)) };
  fields.set(column.databaseName, field);
  const folded = foldName(column.databaseName);
  if (folds && !fields.has(folded)) fields.set(folded, field);
}

function fieldType({ type }: ColumnMetadata, declared: string): FieldType {
  if (type === Boolean || type === 'boolean' || type === 'bool') return 'boolean';
  if (type === 'simple-json') return 'json';
  // Both have an "int" in their name, and neither is one.
  if (/^(?:interval|point)/.test(declared)) return 'string';
  return typeFromDeclaration(declared);
}

/** What TypeORM keeps for itself: the record of migrations, generated columns, cached results. */
function ownTables({ options, metadataTableName }: DataSource, main: string | null): PlacedNaming[] {
  const cache =
    typeof options.cache === 'object' && 'tableName' in options.cache ? options.cache.tableName : undefined;
  const names = [
    options.migrationsTableName ?? 'migrations',
    metadataTableName,
    cache ?? 'query-result-cache',
  ];
  return names.map((name) => ({
    schema: main,
    table: name,
    naming: { name, fields: new Map(), isLink: false, capture: false },
  }));
}
