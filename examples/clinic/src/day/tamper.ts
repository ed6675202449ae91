import { copyFileSync, existsSync } from 'node:fs';
import Database from 'libsql';
import type { TrailEntry } from './read-trail.js';

/** What somebody with every right on the database, and without the key, does to the log. */
export interface Forgery {
  readonly name: string;
  readonly statements: readonly Statement[];
  /** What verification must say first. The index is null where the finding is about the whole log. */
  readonly expected: { readonly code: string; readonly index: number | null };
}

interface Statement {
  readonly sql: string;
  readonly params: readonly (string | number)[];
}

/** The four ways, aimed at events of the day that somebody might want to be otherwise; without those that have no aim. */
export function planForgeries(entries: readonly TrailEntry[]): readonly Forgery[] {
  const plan = (action: string, forge: (target: TrailEntry) => Forgery): readonly Forgery[] => {
    const target = entries.find(({ event }) => event.action === action);
    return target === undefined ? [] : [forge(target)];
  };
  return [
    ...plan('prescription_item.created', changeValue),
    ...plan('prescription.created', changeColumn),
    ...plan('patient.deleted', deleteRow),
    ...plan('auth.role_changed', cutTail),
  ];
}

function changeValue({ event, index }: TrailEntry): Forgery {
  const replaced = `replace(CAST(body AS TEXT), '"doseMg":"400"', '"doseMg":"4000"')`;
  return {
    name: 'A value: the dose was 4,000 mg, not 400',
    statements: [
      { sql: `UPDATE audit_event SET body = CAST(${replaced} AS BLOB) WHERE id = ?`, params: [event.id] },
    ],
    expected: { code: 'AUDIT_BODY_MISMATCH', index },
  };
}

function changeColumn({ event, index }: TrailEntry): Forgery {
  return {
    name: 'A query column: Florence prescribed it, not Ada',
    statements: [{ sql: `UPDATE audit_event SET actor_id = '3' WHERE id = ?`, params: [event.id] }],
    expected: { code: 'AUDIT_COLUMN_MISMATCH', index },
  };
}

function deleteRow({ event, index }: TrailEntry): Forgery {
  return {
    name: 'A row: no patient was ever deleted',
    statements: [
      { sql: 'DELETE FROM audit_event WHERE id = ?', params: [event.id] },
      { sql: 'DELETE FROM audit_entry WHERE event_id = ?', params: [event.id] },
    ],
    expected: { code: 'AUDIT_ENTRY_MISSING', index },
  };
}

function cutTail({ index }: TrailEntry): Forgery {
  const tail = 'SELECT event_id FROM audit_entry WHERE idx >= ?';
  return {
    name: 'The tail: the log ends before the role was changed',
    statements: [
      { sql: `DELETE FROM audit_event WHERE id IN (${tail})`, params: [index] },
      { sql: 'DELETE FROM audit_entry WHERE idx >= ?', params: [index] },
    ],
    expected: { code: 'AUDIT_ENTRY_MISSING', index },
  };
}

/** Copies the database, which nobody has open, and forges the copy. @returns the copy's path */
export function forge(file: string, copy: string, forgery: Forgery): string {
  copyFileSync(file, copy);
  // The newest pages may still stand in the write-ahead log.
  if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
  const database = new Database(copy);
  try {
    const guards: unknown[] = database
      .prepare(
        `SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit\\_%' ESCAPE '\\'`,
      )
      .pluck()
      .all();
    for (const guard of guards) database.exec(`DROP TRIGGER "${String(guard)}"`);
    for (const { sql, params } of forgery.statements) {
      const { changes } = database.prepare(sql).run(...params);
      if (changes === 0) throw new Error(`this forged nothing: ${sql}`);
    }
  } finally {
    database.close();
  }
  return copy;
}
