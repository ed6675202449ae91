import {
  canonicalize,
  type EventInput,
  type JsonObject,
  type JsonValue,
  type Operation,
  sameJson,
  toJson,
} from '@indelible/core';
import type { CheckedCaptureOptions, ModelCaptureOptions } from './capture-options.js';
import type { Inexact, RowChange, RowImage, TableInfo, TableName } from './dialect.js';
import { fieldValue } from './field-value.js';
import { type FieldNaming, type ModelNaming, type NameModel, typeFromDeclaration } from './model-naming.js';
import { foldName } from './tokenize.js';

const SOFT_DELETE_FIELDS = ['deletedAt', 'deleted_at'];
const OWN_TABLES =
  /^(?:audit_(?:event|pending|entry|head|outbox|migration|tile|checkpoint|cursor|prune)|sqlite_.*|_prisma_migrations)$/i;
const NOTHING: ModelCaptureOptions = {};

const VERBS: Partial<Record<Operation, string>> = {
  create: 'created',
  update: 'updated',
  delete: 'deleted',
  link: 'linked',
  unlink: 'unlinked',
  soft_delete: 'soft_deleted',
  restore: 'restored',
};

interface Field extends FieldNaming {
  /** Of its column in the table. */
  readonly position: number;
}

/** Everything about a table that stays the same from row to row. */
interface Model {
  readonly name: string;
  readonly action: string;
  readonly isLink: boolean;
  readonly fields: readonly Field[];
  readonly key: readonly Field[];
  readonly softDelete: Field | undefined;
}

/** Turns row changes into events, in the words of the ORM. */
export class ChangeEvents {
  readonly #models = new WeakMap<TableInfo, Model>();

  constructor(
    private readonly nameModel: NameModel,
    private readonly options: CheckedCaptureOptions,
  ) {}

  /** True for tables that are not captured: our own, the database's and what the options leave out. */
  readonly ignores = (table: TableName): boolean => {
    if (OWN_TABLES.test(table.name)) return true;
    const naming = this.nameModel(table);
    if (naming?.capture === false) return true;
    const names = [table.name, naming?.name ?? table.name];
    const { only, exclude } = this.options;
    if (names.some((name) => exclude.has(name))) return true;
    return only !== undefined && !names.some((name) => only.has(name));
  };

  /** The event of one change; undefined where nothing that is recorded has changed. */
  fromRow(change: RowChange): EventInput | undefined {
    const { table, before, after } = change;
    const model = this.#model(table);
    if (before !== null && after !== null) return this.#update(model, change, before, after);
    const row = before ?? after;
    if (row === null) return undefined;
    const operation =
      before === null ? (model.isLink ? 'link' : 'create') : model.isLink ? 'unlink' : 'delete';
    const values = readFields(model.fields, row);
    return {
      action: `${model.action}.${VERBS[operation]}`,
      category: 'data',
      resource: { type: model.name, id: identity(model, row, change.from ?? change.to) },
      change: { operation, ...(before === null ? { after: values } : { before: values }), fidelity: 'exact' },
      ...marks(model, row),
    };
  }

  #update(model: Model, { from, to }: RowChange, before: RowImage, after: RowImage): EventInput | undefined {
    const old: [string, JsonValue][] = [];
    const now: [string, JsonValue][] = [];
    for (const field of model.fields) {
      if (before.equals(after, field.position)) continue;
      const was = readField(field, before);
      const is = readField(field, after);
      // Equal after casting is no change.
      if (sameJson(was, is)) continue;
      old.push([field.name, was]);
      now.push([field.name, is]);
    }
    if (old.length === 0) return undefined;
    const isFull = this.options.snapshot === 'full';
    const operation = updateOperation(model, before, after);
    const id = identity(model, before, from);
    const isSame = hasKey(model, before) && model.key.every((field) => before.equals(after, field.position));
    const newId = isSame ? id : identity(model, after, to);
    return {
      action: `${model.action}.${VERBS[operation]}`,
      category: 'data',
      resource: { type: model.name, id },
      change: {
        operation,
        before: isFull ? readFields(model.fields, before) : Object.fromEntries(old),
        after: isFull ? readFields(model.fields, after) : Object.fromEntries(now),
        fields: old.map(([name]) => name),
        fidelity: 'exact',
      },
      ...(newId === id ? {} : { details: { newResourceId: newId } }),
      ...marks(model, before),
    };
  }

  /** The event that stands for what could not be captured exactly. */
  fromInexact(inexact: Inexact, statement: string): EventInput {
    const naming = inexact.table === null ? undefined : this.nameModel(inexact.table);
    const name = naming?.name ?? inexact.table?.name;
    return {
      action: `${name === undefined ? 'sql' : snakeCase(name)}.executed`,
      category: 'data',
      ...(name === undefined ? {} : { resource: { type: name, id: '*' } }),
      change: { operation: 'execute', fidelity: inexact.fidelity },
      details: {
        reason: inexact.reason,
        statement,
        ...(inexact.count === undefined ? {} : { rows: inexact.count }),
      },
    };
  }

  #model(table: TableInfo): Model {
    const known = this.#models.get(table);
    if (known !== undefined) return known;
    const model = describeModel(table, this.nameModel(table.name), this.options);
    this.#models.set(table, model);
    return model;
  }
}

function describeModel(
  table: TableInfo,
  naming: ModelNaming | undefined,
  options: CheckedCaptureOptions,
): Model {
  const name = naming?.name ?? table.name.name;
  const own = options.models.get(name) ?? options.models.get(table.name.name) ?? NOTHING;
  const said = naming?.capture === undefined || naming.capture === false ? NOTHING : naming.capture;
  const excluded = new Set([...(said.exclude ?? []), ...(own.exclude ?? [])]);
  const names = new Set([...(naming?.fields.values() ?? [])].map((field) => field.name));
  const all = table.columns.map((column, position) => ({
    column: column.name,
    position,
    ...(naming?.fields.get(column.name) ??
      naming?.fields.get(foldedName(column.name, table)) ?? {
        // A column that the ORM does not know may be called as a field of another column.
        name: names.has(column.name) ? `column ${column.name}` : column.name,
        type: typeFromDeclaration(column.declaredType),
      }),
  }));
  const fields = all.filter(
    ({ name: field, column, position }) =>
      !excluded.has(field) && !excluded.has(column) && table.columns[position]?.isReadable !== false,
  );
  const named = own.softDelete ?? said.softDelete;
  const softDelete = named === undefined ? SOFT_DELETE_FIELDS : [named];
  return {
    name,
    action: snakeCase(name),
    isLink: naming?.isLink ?? false,
    fields,
    key: table.key.flatMap((column) => all.filter((field) => field.column === column)),
    softDelete: fields.find((field) => softDelete.includes(field.name)),
  };
}

/** The name under which the ORM knows a column that the database spells otherwise. */
function foldedName(name: string, table: TableInfo): string {
  const folded = foldName(name);
  return table.columns.some((column) => column.name === folded) ? name : folded;
}

function readField(field: Field, row: RowImage): JsonValue {
  return toJson(fieldValue(row.value(field.position), field.type));
}

function readFields(fields: readonly Field[], row: RowImage): JsonObject {
  // fromEntries makes an own property of every name, `__proto__` too.
  return Object.fromEntries(fields.map((field) => [field.name, readField(field, row)]));
}

/**
 * A single key's value as text; a composite key as the canonical JSON of its parts by field. A row without a key is known
 * by where it stands, and never by what it holds: that may be secret.
 */
function identity(model: Model, row: RowImage, place: string | null): string {
  const [single, second] = model.key;
  if (single === undefined || !hasKey(model, row)) return `row:${place ?? ''}`;
  if (second === undefined) {
    const value = readField(single, row);
    return typeof value === 'string' ? value : canonicalize(value);
  }
  return canonicalize(readFields(model.key, row));
}

/** SQLite lets a primary key be NULL, in any number of rows. */
function hasKey(model: Model, row: RowImage): boolean {
  return model.key.length > 0 && model.key.every((field) => readField(field, row) !== null);
}

function marks(model: Model, row: RowImage): { readonly tags?: readonly string[] } {
  return hasKey(model, row) ? {} : { tags: ['no-primary-key'] };
}

function updateOperation(
  model: Model,
  before: RowImage,
  after: RowImage,
): 'update' | 'soft_delete' | 'restore' {
  if (model.softDelete === undefined) return 'update';
  const wasDeleted = isSet(readField(model.softDelete, before));
  const isDeleted = isSet(readField(model.softDelete, after));
  if (wasDeleted === isDeleted) return 'update';
  return isDeleted ? 'soft_delete' : 'restore';
}

function isSet(value: JsonValue): boolean {
  return value !== null && value !== false;
}

const MAX_NAME = 90;

/** `PatientRecord` → `patient_record`, `HTTPLog` → `http_log`. Letters of every script stay; a name of none is `table`. */
export function snakeCase(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  return words === '' ? 'table' : Array.from(words).slice(0, MAX_NAME).join('');
}
