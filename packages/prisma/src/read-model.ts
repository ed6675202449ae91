import { foldName } from '@indelible/capture';

/** What reading needs to know of a model. */
export interface ReadModel {
  readonly name: string;
  /** Its table, as the schema names it. */
  readonly table: string;
  /** The fields of `@id` or `@@id`; none: its rows can only be counted. */
  readonly key: readonly string[];
  /** The model of each relation, by field. */
  readonly relations: ReadonlyMap<string, string>;
}

/**
 * @param dataModel the client's `_runtimeDataModel`, unchecked: it tells models and relations, and no keys
 * @param schema the text of the Prisma schema, which tells the keys
 */
export function createReadModels(dataModel: object, schema: string): ReadonlyMap<string, ReadModel> {
  const keys = readKeys(schema);
  const models = new Map<string, ReadModel>();
  for (const [name, model] of entries(property(dataModel, 'models'))) {
    const relations = new Map<string, string>();
    for (const field of list(property(model, 'fields'))) {
      const [fieldName, type] = [property(field, 'name'), property(field, 'type')];
      if (typeof property(field, 'relationName') !== 'string') continue;
      if (typeof fieldName === 'string' && typeof type === 'string') relations.set(fieldName, type);
    }
    const table = property(model, 'dbName');
    models.set(name, {
      name,
      table: typeof table === 'string' ? table : name,
      key: keys.get(name) ?? [],
      relations,
    });
  }
  return models;
}

/** Models by the names of their tables in any case. */
export function tablesOf(
  models: Iterable<ReadModel>,
): readonly { model: string; key: readonly string[]; table: string }[] {
  return [...models].map(({ name, key, table }) => ({ model: name, key, table: foldName(table) }));
}

const MODEL = /^\s*model\s+(\w+)\s*\{/;
const FIELD_ID = /^\s*(\w+)\s+\S+.*\s@id\b/;
const MODEL_ID = /^\s*@@id\(\s*(?:fields\s*:\s*)?\[([^\]]*)\]/;

/** The keys of the models in the text of a Prisma schema: `@id` behind a field, `@@id([…])` by itself. */
function readKeys(schema: string): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, readonly string[]>();
  let model: string | undefined;
  for (const line of schema.split('\n')) {
    const text = withoutComment(line);
    const begun = MODEL.exec(text)?.[1];
    if (begun !== undefined) model = begun;
    else if (/^\s*\}/.test(text)) model = undefined;
    if (model === undefined) continue;
    const single = FIELD_ID.exec(text)?.[1];
    if (single !== undefined) keys.set(model, [single]);
    const several = MODEL_ID.exec(text)?.[1];
    if (several !== undefined) keys.set(model, fieldsIn(several));
  }
  return keys;
}

/** `a, b(sort: Desc)`: without what stands in parentheses. */
function fieldsIn(text: string): string[] {
  return text
    .replace(/\([^)]*\)/g, '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Texts are emptied too: `@id` may stand in a default. */
function withoutComment(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\/\/.*$/, '');
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
