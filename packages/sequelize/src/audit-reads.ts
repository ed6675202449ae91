import {
  type CaptureDialect,
  idOfRow,
  RawReads,
  ReadCollector,
  readProperty as read,
} from '@indelible/capture';
import { type Audit, AuditError } from '@indelible/core';
import { listenToReads } from './reach-reads.js';
import type { SequelizeLike } from './reach-sequelize.js';

/** Records who is shown rows of these models. */
export function auditReads(
  sequelize: SequelizeLike,
  reads: readonly string[],
  audit: () => Audit,
  dialect: CaptureDialect,
): void {
  const collector = new ReadCollector(reads, audit);
  const tables = () =>
    Object.values(sequelize.models).flatMap((model) => {
      const name = nameOf(model);
      return collector.covers(name) ? [{ model: name, key: keyOf(model), table: tableOf(model) }] : [];
    });
  const raw = new RawReads(collector, dialect, tables);
  const checkNames = once(() => {
    // Models may be defined until the first read.
    for (const name of reads) if (!Object.hasOwn(sequelize.models, name)) audit().reportError(noModel(name));
  });
  listenToReads(sequelize, {
    found: async (model, options, found) => {
      checkNames();
      const rows = listOf(found);
      if (rows.length === 0 || countsOnly(options)) return;
      const shown = new Map<string, Shown>();
      const includes = listOf(read(options, 'include'));
      for (const row of rows) collect(shown, { model, includes }, row, []);
      for (const { name, key, ids, unknown } of shown.values()) {
        if (collector.covers(name)) await collector.note({ model: name, key, ids, unknown });
      }
    },
    aggregated: async (model, name, value) => {
      checkNames();
      if (!collector.covers(nameOf(model))) return;
      // Of groups there are rows, which show what they are grouped by.
      const isValue = (name === 'max' || name === 'min') && value !== null && value !== undefined;
      const unknown = Array.isArray(value) ? value.length : Number(isValue);
      await collector.note({ model: nameOf(model), key: keyOf(model), ids: [], unknown });
    },
    raw: async (sql) => {
      checkNames();
      return raw.note(sql);
    },
  });
}

interface Shown {
  readonly name: string;
  readonly key: readonly string[];
  readonly ids: string[];
  unknown: number;
}

interface Place {
  readonly model: unknown;
  readonly includes: readonly unknown[];
}

/** @param path from the found row to the rows that come along with it, by the names of their associations */
function collect(
  shown: Map<string, Shown>,
  { model, includes }: Place,
  row: unknown,
  path: readonly string[],
): void {
  const name = nameOf(model);
  const key = keyOf(model);
  const rows = shown.get(name) ?? { name, key, ids: [], unknown: 0 };
  const id = idOfRow(key, (field) => valueAt(row, [...path, field]));
  if (id !== undefined) rows.ids.push(id);
  else if (path.length === 0 || isJoined(row, path)) rows.unknown += 1;
  shown.set(name, rows);
  for (const include of includes) {
    // What is read by a statement of its own is told with that.
    if (read(include, 'separate') === true) continue;
    const as = read(include, 'as');
    if (typeof as !== 'string') continue;
    const place = { model: read(include, 'model'), includes: listOf(read(include, 'include')) };
    const inner = read(read(row, 'dataValues') ?? row, as);
    if (typeof inner !== 'object' || inner === null) {
      if (inner === undefined) collect(shown, place, row, [...path, as]);
      continue;
    }
    for (const each of listOf(inner)) collect(shown, place, each, []);
  }
}

/** Of a joined row that is not there each value is null. */
function isJoined(row: unknown, path: readonly string[]): boolean {
  if (typeof row !== 'object' || row === null) return false;
  const prefix = `${path.join('.')}.`;
  return Object.entries(row).some(([name, value]) => name.startsWith(prefix) && value !== null);
}

/** A value of an instance, or of a raw row, whose names are joined with dots. */
function valueAt(row: unknown, path: readonly string[]): unknown {
  return read(read(row, 'dataValues') ?? row, path.join('.'));
}

function nameOf(model: unknown): string {
  const name = read(model, 'name');
  return typeof name === 'string' ? name : '';
}

function keyOf(model: unknown): readonly string[] {
  return listOf(read(model, 'primaryKeyAttributes')).map(String);
}

function tableOf(model: unknown): string {
  const getTableName = read(model, 'getTableName');
  const named: unknown =
    typeof getTableName === 'function' ? Reflect.apply(getTableName, model, []) : undefined;
  const name = typeof named === 'string' ? named : read(named, 'tableName');
  return typeof name === 'string' ? name : nameOf(model);
}

/** Every attribute is a COUNT: these show no row. */
function countsOnly(options: unknown): boolean {
  const attributes = listOf(read(options, 'attributes'));
  const isCount = (attribute: unknown): boolean =>
    Array.isArray(attribute) && /^count$/i.test(String(read(attribute[0], 'fn')));
  return attributes.length > 0 && attributes.every(isCount);
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}

function noModel(name: string): AuditError {
  return new AuditError(
    'AUDIT_CONFIG_INVALID',
    'sequelize',
    `option "reads": there is no model ${JSON.stringify(name)}`,
  );
}
