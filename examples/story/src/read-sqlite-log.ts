import { type AuditEvent, readBody } from '@indelible/core';
import Database from 'libsql';

/** Every event in the file, oldest first, read with plain SQL, past the library that wrote it. */
export function readSqliteLog(file: string): readonly AuditEvent[] {
  const database = new Database(file, { readonly: true });
  try {
    const rows: unknown[] = database
      .prepare(
        `SELECT CAST(audit_event.body AS TEXT) AS body FROM audit_entry JOIN audit_event ON audit_event.id = audit_entry.event_id
          ORDER BY audit_entry.log, audit_entry.idx`,
      )
      .all();
    return rows.map((row) => {
      const body: unknown = Reflect.get(Object(row), 'body');
      if (typeof body !== 'string') throw new Error('audit_event has another shape than expected');
      return readBody(Buffer.from(body));
    });
  } finally {
    database.close();
  }
}
