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

/**
 * Names tables and columns as the Prisma schema does.
 * @param dataModel the client's `_runtimeDataModel`, unchecked
 */
export function createNameModel(dataModel: unknown): NameModel {
  const models = new Map<string, ModelNaming>();
  const relations = new Map<string, string[]>();
  for (const [name, model] of entries(property(dataModel, 'models'))) {
    const fields = new Map<string, FieldNaming>();
    for (const field of list(property(model, 'fields'))) {
      const fieldName = text(property(field, 'name'));
      const relation = text(property(field, 'relationName'));
      if (relation !== undefined) relations.set(relation, [...(relations.get(relation) ?? []), name]);
      else if (fieldName !== undefined) {
        const column = text(property(field, 'dbName')) ?? fieldName;
        const type = FIELD_TYPES[text(property(field, 'type')) ?? ''] ?? 'string';
        fields.set(column, { name: fieldName, type });
        if (!fields.has(foldName(column))) fields.set(foldName(column), { name: fieldName, type });
      }
    }
    models.set(text(property(model, 'dbName')) ?? name, { name, fields, isLink: false });
  }
  for (const [relation, sides] of relations) {
    const table = `_${relation}`;
    if (!models.has(table)) models.set(table, { name: relation, fields: linkFields(sides), isLink: true });
  }
  // SQLite takes the names of the schema in any case, and a table that is left out must be left out in any case.
  const byFolded = new Map([...models].map(([table, naming]) => [foldName(table), naming]));
  return (table) => models.get(table.name) ?? byFolded.get(foldName(table.name));
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
