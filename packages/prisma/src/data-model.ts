import {
  type FieldNaming,
  type FieldType,
  foldName,
  type ModelNaming,
  type NameModel,
} from '@indelible/capture';

const FIELD_TYPES: Readonly<Record<string, FieldType>> = {
  String: 'string',
  Boolean: 'boolean',
  Int: 'int',
  BigInt: 'bigint',
  Float: 'float',
  Decimal: 'decimal',
  DateTime: 'datetime',
  Json: 'json',
  Bytes: 'bytes',
};

/** How the names of a schema are found in a database. */
export interface DatabaseNames {
  /** The schema of tables that the data model puts in none; null: the database has no schemas. */
  defaultSchema(): string | null;
  /** True where names are the same in any case. */
  readonly foldsNames: boolean;
}

/**
 * Names tables and columns as the Prisma schema does.
 * @param dataModel the client's `_runtimeDataModel`, unchecked; undefined: there is none, and tables keep their names
 */
export function createNameModel(dataModel: unknown, names: DatabaseNames): NameModel {
  const { foldsNames } = names;
  const models: PlacedNaming[] = [];
  const relations = new Map<string, PlacedSide[]>();
  for (const [name, model] of entries(property(dataModel, 'models'))) {
    const schema = text(property(model, 'schema')) ?? null;
    const fields = new Map<string, FieldNaming>();
    for (const field of list(property(model, 'fields'))) {
      const fieldName = text(property(field, 'name'));
      const relation = text(property(field, 'relationName'));
      if (relation !== undefined)
        relations.set(relation, [...(relations.get(relation) ?? []), { name, schema }]);
      else if (fieldName !== undefined) {
        const column = text(property(field, 'dbName')) ?? fieldName;
        const type = FIELD_TYPES[text(property(field, 'type')) ?? ''] ?? 'string';
        fields.set(column, { name: fieldName, type });
        const folded = foldName(column);
        if (foldsNames && !fields.has(folded)) fields.set(folded, { name: fieldName, type });
      }
    }
    const table = text(property(model, 'dbName')) ?? name;
    models.push({ schema, table, naming: { name, fields, isLink: false } });
  }
  for (const [relation, sides] of relations) {
    const table = `_${relation}`;
    // It stands beside the first of its models.
    const [first] = [...sides].sort((one, two) => (one.name < two.name ? -1 : 1));
    const fields = linkFields(sides.map(({ name }) => name));
    models.push({ schema: first?.schema ?? null, table, naming: { name: relation, fields, isLink: true } });
  }
  return foldsNames ? nameInAnyCase(models) : nameBySchema(models, names);
}

interface PlacedSide {
  readonly name: string;
  readonly schema: string | null;
}

interface PlacedNaming {
  /** Null: the default one. */
  readonly schema: string | null;
  readonly table: string;
  readonly naming: ModelNaming;
}

/** SQLite takes the names of the schema in any case, and a table that is left out must be left out in any case. */
function nameInAnyCase(models: readonly PlacedNaming[]): NameModel {
  const byTable = new Map<string, ModelNaming>();
  const byFolded = new Map<string, ModelNaming>();
  for (const { table, naming } of models) {
    if (!byTable.has(table)) byTable.set(table, naming);
    if (!byFolded.has(foldName(table))) byFolded.set(foldName(table), naming);
  }
  return (table) => byTable.get(table.name) ?? byFolded.get(foldName(table.name));
}

/** A table that is no model's is never told as one, whatever it is called. */
function nameBySchema(models: readonly PlacedNaming[], names: DatabaseNames): NameModel {
  const taken = new Set(models.map(({ naming }) => naming.name));
  return (table) => {
    const defaultSchema = names.defaultSchema();
    const schema = table.schema ?? defaultSchema;
    const model = models.find(
      (candidate) => candidate.table === table.name && (candidate.schema ?? defaultSchema) === schema,
    );
    if (model !== undefined) return model.naming;
    if (schema === defaultSchema && !taken.has(table.name)) return undefined;
    return { name: `${schema}.${table.name}`, fields: new Map(), isLink: false };
  };
}

/** A relation table has the columns A and B, for the two models in the order of their names. */
function linkFields(sides: readonly string[]): ReadonlyMap<string, FieldNaming> {
  const [first = 'A', second = 'B'] = [...sides].sort();
  const names = first === second ? ['A', 'B'] : [first, second];
  return new Map(['A', 'B'].map((column, side) => [column, { name: names[side] ?? column, type: 'string' }]));
}

function property(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined;
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
