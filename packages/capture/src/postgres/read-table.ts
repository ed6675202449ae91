import { ColumnTypes } from './column-types.js';
import { cellRows, cellText, cellTexts } from './json-cells.js';
import type {
  PostgresColumn,
  PostgresReference,
  PostgresTable,
  PostgresTrigger,
  ReferentialAction,
  RelationKind,
  TriggerEvent,
} from './postgres-table.js';
import { textEncoding } from './text-encoding.js';
import { mayTriggerWrite } from './trigger-writes.js';

const KINDS: readonly RelationKind[] = ['table', 'partitioned', 'view', 'materialized view', 'foreign'];
const ACTIONS: readonly ReferentialAction[] = ['restrict', 'cascade', 'set null', 'set default'];
// The bits of pg_trigger.tgtype (catalog/pg_trigger.h).
const ROW = 1;
const BEFORE = 2;
const INSTEAD = 64;
const EVENTS: readonly (readonly [number, TriggerEvent])[] = [
  [4, 'insert'],
  [8, 'delete'],
  [16, 'update'],
  [32, 'truncate'],
];

/** Reads what `tableQuery` gave. */
export function readTable(json: string): PostgresTable {
  const found: unknown = JSON.parse(json);
  if (typeof found !== 'object' || found === null) throw new TypeError('the catalogue gave no table');
  const cells = new Map<string, unknown>(Object.entries(found));
  const text = (name: string): string => cellText(cells.get(name));
  const rows = (name: string): readonly (readonly unknown[])[] => cellRows(cells.get(name));
  return {
    oid: text('oid'),
    name: { schema: text('rootSchema'), name: text('rootName') },
    relation: { schema: text('schema'), name: text('name') },
    root: text('root'),
    kind: readKind(cells.get('kind')),
    columns: readColumns(rows('columns'), new ColumnTypes(rows('types'))),
    key: cellTexts(cells.get('key')),
    references: rows('references').map(([table, columns]) => ({
      table: cellText(table),
      columns: cellTexts(columns),
    })),
    referencedBy: rows('referencedBy').map(readReference),
    triggers: rows('triggers').map(readTrigger),
    recorders: new Map(
      EVENTS.flatMap(([bit, event]) => {
        const found = rows('recorders').find(([known]) => Number(known) === bit);
        return found === undefined ? [] : [[event, found[1] === true ? 'whole' : 'part'] as const];
      }),
    ),
    provenRecorders: new Set(
      EVENTS.flatMap(([bit, event]) =>
        rows('recorders').some(([known, , says]) => Number(known) === bit && says === true) ? [event] : [],
      ),
    ),
    recorderSchemas: new Set(rows('recorders').flatMap(([, , , schemas]) => cellTexts(schemas))),
    rules: cellTexts(cells.get('rules')),
    reads: cellTexts(cells.get('reads')),
    children: rows('children').map(([oid, kind, triggers]) => ({
      oid: cellText(oid),
      kind: readKind(kind),
      triggers: triggers === null ? '' : cellText(triggers),
    })),
    triggerFunctions: cellTexts(cells.get('triggerFunctions')),
    functions: cells.get('functions') === null ? '' : text('functions'),
    isKeyLate: cells.get('isKeyLate') === true,
    encoding: textEncoding(text('encoding')),
    hasRowSecurity: cells.get('hasRowSecurity') === true,
    mayReadPlaces: cells.get('mayReadPlaces') === true,
    mayUpdate: cells.get('mayUpdate') === true,
    mayLock: cells.get('mayLock') === true,
    isUpdatableView: cells.get('isUpdatableView') === true,
    isTemporary: cells.get('isTemporary') === true,
    isWide: cells.get('isWide') === true,
    fingerprint: text('fingerprint'),
    isBehind: cells.get('isBehind') === true,
    effects: text('effects'),
  };
}

function readColumns(rows: readonly (readonly unknown[])[], types: ColumnTypes): readonly PostgresColumn[] {
  return rows.map(([name, typeOid, formatted, isGenerated, isReadable]) => {
    const { declared, cast, format } = types.describe(cellText(typeOid), cellText(formatted));
    return {
      name: cellText(name),
      declaredType: declared,
      castType: cast,
      typeOid: Number(typeOid),
      format,
      isGenerated: isGenerated === true,
      isReadable: isReadable === true,
    };
  });
}

function readReference(row: readonly unknown[]): PostgresReference {
  const [table, schema, name, columns, referenced, onDelete, onUpdate, setColumns] = row;
  return {
    table: cellText(table),
    name: { schema: cellText(schema), name: cellText(name) },
    columns: cellTexts(columns),
    referenced: cellTexts(referenced),
    onDelete: readAction(onDelete),
    onUpdate: readAction(onUpdate),
    setColumns: cellTexts(setColumns),
  };
}

function readTrigger(row: readonly unknown[]): PostgresTrigger {
  const [name, type, schema, functionName, language, source, library, callsMore] = row;
  const bits = Number(type);
  const of = {
    schema: cellText(schema),
    name: cellText(functionName),
    language: cellText(language),
    source: cellText(source),
    library: cellText(library),
  };
  return {
    name: cellText(name),
    timing: (bits & BEFORE) !== 0 ? 'before' : (bits & INSTEAD) !== 0 ? 'instead of' : 'after',
    events: new Set(EVENTS.filter(([bit]) => (bits & bit) !== 0).map(([, event]) => event)),
    isRow: (bits & ROW) !== 0,
    // Its WHEN may call a function too.
    mayWrite: callsMore === true || mayTriggerWrite(of),
  };
}

function readKind(value: unknown): RelationKind {
  return KINDS.find((kind) => kind === value) ?? 'other';
}

function readAction(value: unknown): ReferentialAction {
  return ACTIONS.find((action) => action === value) ?? 'no action';
}
