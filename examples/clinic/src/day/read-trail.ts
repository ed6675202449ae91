import type { AuditEvent } from '@indelible/core';
import Database from 'libsql';

/** A sealed event, as it stands in the file. */
export interface TrailEntry {
  readonly index: number;
  readonly event: AuditEvent;
}

export interface Trail {
  readonly entries: readonly TrailEntry[];
  /** How many events are in the file and not sealed. */
  readonly pending: number;
  /** Per table of the clinic: the rows that the migrations put there, and those that are there now. */
  readonly tables: Readonly<Record<string, { readonly initial: number; readonly rows: number }>>;
}

const INITIAL = {
  staff: 0,
  session: 0,
  patient: 0,
  allergy: 1,
  appointment: 0,
  drug: 3,
  prescription: 0,
  prescription_item: 0,
  payment: 0,
} as const;

/** Reads the log with plain SQL, past the library that wrote it. */
export function readTrail(file: string): Trail {
  const database = new Database(file, { readonly: true });
  try {
    const rows: unknown[] = database
      .prepare(
        `SELECT audit_entry.idx AS idx, CAST(audit_event.body AS TEXT) AS body
           FROM audit_entry JOIN audit_event ON audit_event.id = audit_entry.event_id
          ORDER BY audit_entry.log, audit_entry.idx`,
      )
      .all();
    const count = (table: string) =>
      Number(database.prepare(`SELECT count(*) FROM "${table}"`).pluck().get());
    const tables = Object.fromEntries(
      Object.entries(INITIAL).map(([table, initial]) => [table, { initial, rows: count(table) }]),
    );
    return { entries: rows.map(readEntry), pending: count('audit_pending'), tables };
  } finally {
    database.close();
  }
}

function readEntry(row: unknown): TrailEntry {
  if (!isRecord(row) || typeof row.idx !== 'number' || typeof row.body !== 'string') {
    throw new Error('audit_entry has another shape than expected');
  }
  const event: unknown = JSON.parse(row.body);
  if (!isEvent(event)) throw new Error(`entry ${row.idx} does not hold an event`);
  return { index: row.idx, event };
}

function isEvent(value: unknown): value is AuditEvent {
  return (
    isRecord(value) &&
    typeof value.id === 'string' &&
    typeof value.time === 'string' &&
    typeof value.action === 'string' &&
    typeof value.outcome === 'string' &&
    isRecord(value.actor) &&
    typeof value.actor.id === 'string' &&
    isRecord(value.context)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
