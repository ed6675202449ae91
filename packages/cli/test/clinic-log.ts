import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, type AuditOptions, createAudit, type EventInput } from '@indelible/core';
import Database from 'libsql';
import { SECRET } from './run-indelible.js';

/** A folder of its own with a database file for one test. */
export class ClinicLog {
  readonly cwd = mkdtempSync(join(tmpdir(), 'indelible-cli-'));
  readonly file = join(this.cwd, 'audit.db');
  readonly url = `file:${this.file}`;

  /** An application's audit on the file. */
  audit(options: Pick<AuditOptions, 'hmacKey' | 'keyedFrom' | 'sealAfterMs'> = { hmacKey: SECRET }): Audit {
    return createAudit({
      store: this.url,
      sealAfterMs: 0,
      lifecycleEvents: false,
      spool: { directory: join(this.cwd, 'spool') },
      ...options,
    });
  }

  /** Migrates, records the events one after the other and seals them. */
  async record(inputs: readonly EventInput[], audit: Audit = this.audit()): Promise<readonly string[]> {
    await audit.migrate();
    const ids: string[] = [];
    for (const input of inputs) ids.push((await audit.record(input)).id);
    await audit.flush();
    await audit.close();
    return ids;
  }

  /** Raw SQL behind the log's back, as the owner of the file can run it. */
  tamper(sql: string): void {
    const database = new Database(this.file);
    const triggers = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
    for (const row of triggers) database.exec(`DROP TRIGGER "${String(Reflect.get(Object(row), 'name'))}"`);
    database.exec(sql);
    database.close();
  }

  /** Brings what stands in the -wal file into the database file, so that this one alone is a copy. */
  foldWal(): void {
    const database = new Database(this.file);
    database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
    database.close();
  }

  /** The bodies of all events, read with raw SQL. */
  bodies(): Record<string, unknown>[] {
    const database = new Database(this.file);
    const rows = database.prepare('SELECT CAST(body AS TEXT) AS body FROM audit_event ORDER BY id').all();
    database.close();
    return rows.map((row) => JSON.parse(String(Reflect.get(Object(row), 'body'))));
  }

  remove(): void {
    rmSync(this.cwd, { recursive: true, force: true });
  }
}

export const ADA = { type: 'user', id: 'ada' } as const;

/** A patient who is entered, changed and moved. */
export const PATIENT_STORY: readonly EventInput[] = [
  {
    action: 'patient.created',
    category: 'data',
    actor: ADA,
    resource: { type: 'Patient', id: '7' },
    change: { operation: 'create', after: { name: 'Grace', phone: '555-1' }, fidelity: 'exact' },
  },
  {
    action: 'patient.updated',
    category: 'data',
    actor: ADA,
    resource: { type: 'Patient', id: '7' },
    change: {
      operation: 'update',
      before: { phone: '555-1' },
      after: { phone: '555-2' },
      fields: ['phone'],
      fidelity: 'exact',
    },
  },
  {
    action: 'auth.login_failed',
    category: 'auth',
    actor: { type: 'anonymous', id: 'anonymous' },
    outcome: 'failure',
    context: { ip: '192.0.2.7' },
  },
];
