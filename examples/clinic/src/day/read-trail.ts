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
}

/** A row as SQLite stores it, by column. */
export type Row = Readonly<Record<string, unknown>>;
/** The clinic's own tables. */
export type Tables = Readonly<Record<string, readonly Row[]>>;

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
    const pending = database.prepare('SELECT 1 FROM audit_pending').all().length;
    return { entries: rows.map(readEntry), pending };
  } finally {
    database.close();
  }
}

/** Reads every table that is neither the log's nor SQLite's own. */
export function readTables(file: string): Tables {
  const database = new Database(file, { readonly: true });
  try {
    const names: unknown[] = database
      .prepare(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'audit_*' AND name NOT GLOB 'sqlite_*'`,
      )
      .pluck()
      .all();
    return Object.fromEntries(
      names.map((name) => {
        const rows: unknown[] = database.prepare(`SELECT * FROM "${String(name)}"`).all();
        return [String(name), rows.filter(isRecord)];
      }),
    );
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
