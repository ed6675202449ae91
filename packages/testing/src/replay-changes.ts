import { type AuditEvent, isRedacted, type JsonValue, sameJson, tryGetMarkKind } from '@indelible/core';

/** Rows by their id, with what is known of their fields. */
export type Rows = ReadonlyMap<string, ReadonlyMap<string, JsonValue>>;
type OpenRows = Map<string, Map<string, JsonValue>>;

/** A write that no event tells of. */
export interface UnauditedWrite {
  readonly type: string;
  readonly id: string;
  readonly operation: 'create' | 'update' | 'delete';
  /** The fields that hold something else than the events say. */
  readonly fields: readonly string[];
}

export interface Told {
  /** As the rows have to be now, if the events tell everything. */
  readonly rows: ReadonlyMap<string, Rows>;
  /** Tables of which an event says that it is not exact. */
  readonly inexact: ReadonlySet<string>;
}

/** What becomes of the rows by the changes of these events, which stand in their order. */
export function replayChanges(before: ReadonlyMap<string, Rows>, events: readonly AuditEvent[]): Told {
  const rows = new Map(
    [...before].map(([type, table]) => [
      type,
      new Map([...table].map(([id, fields]) => [id, new Map(fields)])) as OpenRows,
    ]),
  );
  const inexact = new Set<string>();
  for (const { resource, change, details } of events) {
    const table = rows.get(resource?.type ?? '');
    if (change === undefined || resource === undefined || table === undefined) continue;
    // What a read could not tell hides no write.
    if (change.fidelity !== 'exact' && change.operation !== 'read') inexact.add(resource.type);
    switch (change.operation) {
      case 'create':
      case 'link':
        table.set(resource.id, new Map(Object.entries(change.after ?? {})));
        break;
      case 'update':
      case 'soft_delete':
      case 'restore': {
        const row = table.get(resource.id) ?? new Map<string, JsonValue>();
        // Named and not told: it was removed by redaction.
        for (const name of change.fields ?? []) row.delete(name);
        for (const [name, value] of Object.entries(change.after ?? {})) row.set(name, value);
        table.delete(resource.id);
        const newId = details?.newResourceId;
        table.set(typeof newId === 'string' ? newId : resource.id, row);
        break;
      }
      case 'delete':
      case 'unlink':
        table.delete(resource.id);
        break;
      default:
        // A read changes nothing; what is only known to have run is not exact.
        break;
    }
  }
  return { rows, inexact };
}

/** How the rows of one table differ from what the events tell. */
export function sameRows(
  type: string,
  told: Rows = new Map(),
  now: Rows = new Map(),
): readonly UnauditedWrite[] {
  const gone = [...told.keys()].filter((id) => !now.has(id));
  return [
    ...[...now].flatMap(([id, fields]): UnauditedWrite[] => {
      const known = told.get(id);
      if (known === undefined) return [{ type, id, operation: 'create', fields: [...fields.keys()] }];
      const wrong = [...fields]
        .filter(([name, value]) => !isTold(known.get(name), value))
        .map(([name]) => name);
      return wrong.length === 0 ? [] : [{ type, id, operation: 'update', fields: wrong }];
    }),
    ...gone.map((id): UnauditedWrite => ({ type, id, operation: 'delete', fields: [] })),
  ];
}

function isTold(told: JsonValue | undefined, now: JsonValue): boolean {
  if (told === undefined || isRedacted(told) || tryGetMarkKind(told) !== undefined) return true;
  return sameJson(told, now) || sameNumber(told, now) || sameInstant(told, now);
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** `12.50` of a database and `12.5` of a library for decimals. */
function sameNumber(one: JsonValue, other: JsonValue): boolean {
  const [first, second] = [one, other].map((value) => {
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text !== 'string' || !DECIMAL.test(text)) return undefined;
    return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  });
  return first !== undefined && first === second;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/;

/** Microseconds of a database and the milliseconds that a Date has of them. */
function sameInstant(one: JsonValue, other: JsonValue): boolean {
  if (typeof one !== 'string' || typeof other !== 'string') return false;
  return INSTANT.test(one) && INSTANT.test(other) && Date.parse(one) === Date.parse(other);
}
