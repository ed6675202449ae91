import Database from 'libsql';
import { compactRange, headMac, leafOf, linkOf, startOf } from './forged-hashes.js';

export interface EntryRow {
  readonly idx: bigint;
  readonly event_id: string;
  readonly leaf: Buffer;
  readonly hash: Buffer;
  readonly sealed_at: bigint;
}

/** An audit file in the hands of its owner: raw SQL, with every guard of the database taken away first. */
export class TamperedFile {
  readonly #database: Database.Database;

  /** Brings what stands in the -wal file into the database file, so that a copy of the one file is a copy of the log. */
  static fold(file: string): void {
    const database = new Database(file);
    database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
    database.close();
  }

  constructor(file: string) {
    this.#database = new Database(file);
    for (const row of this.rows<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'trigger'")) {
      this.#database.exec(`DROP TRIGGER "${row.name}"`);
    }
  }

  /** Runs statements; with parameters a single one. */
  run(sql: string, ...params: readonly unknown[]): void {
    if (params.length === 0) this.#database.exec(sql);
    else this.#database.prepare(sql).run([...params]);
  }

  rows<T>(sql: string, ...params: readonly unknown[]): T[] {
    const rows = this.#database
      .prepare(sql)
      .safeIntegers(true)
      .all([...params]) as Record<string, unknown>[];
    // libsql gives a blob as a bare ArrayBuffer here.
    const value = (cell: unknown) => (cell instanceof ArrayBuffer ? Buffer.from(cell) : cell);
    return rows.map(
      (row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, value(cell)])) as T,
    );
  }

  entries(log: string): EntryRow[] {
    const sql = 'SELECT idx, event_id, leaf, hash, sealed_at FROM audit_entry WHERE log = ? ORDER BY idx';
    return this.rows<EntryRow>(sql, log);
  }

  entry(log: string, index: number): EntryRow {
    const found = this.entries(log).find(({ idx }) => idx === BigInt(index));
    if (found === undefined) throw new Error(`no entry ${index} in ${log}`);
    return found;
  }

  id(log: string, index: number): string {
    return this.entry(log, index).event_id;
  }

  body(id: string): Buffer {
    const [row] = this.rows<{ body: Buffer }>('SELECT body FROM audit_event WHERE id = ?', id);
    if (row === undefined) throw new Error(`no event ${id}`);
    return row.body;
  }

  /** Changes the body of an entry's event, with its leaf where the attacker thinks of that. @returns the new leaf */
  editBody(log: string, index: number, { withLeaf }: { readonly withLeaf: boolean }): Buffer {
    const id = this.id(log, index);
    const body = Buffer.from(this.body(id).toString().replace('"reason":"asked', '"reason":"axked'));
    const leaf = leafOf(body);
    this.run('UPDATE audit_event SET body = ? WHERE id = ?', body, id);
    if (withLeaf) this.run('UPDATE audit_event SET leaf = ? WHERE id = ?', leaf, id);
    return leaf;
  }

  setLeaf(log: string, index: number, leaf: Buffer): void {
    this.run('UPDATE audit_entry SET leaf = ? WHERE log = ? AND idx = ?', leaf, log, index);
  }

  deleteEntry(log: string, index: number): void {
    const id = this.id(log, index);
    this.run('DELETE FROM audit_entry WHERE event_id = ?', id);
    this.run('DELETE FROM audit_event WHERE id = ?', id);
  }

  /** Copies an event under another id, with a body that says so. @returns the new id and leaf */
  forgeEvent(log: string, index: number, lastDigit = 'f'): { id: string; leaf: Buffer } {
    const source = this.id(log, index);
    const id = `${source.slice(0, -1)}${source.endsWith(lastDigit) ? '0' : lastDigit}`;
    const body = Buffer.from(this.body(source).toString().replace(source, id));
    const leaf = leafOf(body);
    const others = `log, time, action, category, outcome, actor_type, actor_id, resource_type, resource_id, tenant,
      request_id, transaction_id, ip`;
    const sql = `INSERT INTO audit_event (id, body, leaf, ${others}) SELECT ?, ?, ?, ${others} FROM audit_event WHERE id = ?`;
    this.run(sql, id, body, leaf, source);
    return { id, leaf };
  }

  addEntry(log: string, index: number | bigint, id: string, leaf: Buffer, secret?: string): void {
    const previous = this.entries(log).at(-1);
    const sealedAt = previous?.sealed_at ?? BigInt(Date.now()) * 1000n;
    const hash = linkOf(secret, previous?.hash ?? startOf(log), BigInt(index), sealedAt, leaf);
    const sql =
      'INSERT INTO audit_entry (log, idx, event_id, leaf, hash, sealed_at) VALUES (?, ?, ?, ?, ?, ?)';
    this.run(sql, log, BigInt(index), id, leaf, hash, sealedAt);
  }

  /** Computes the leaves and links of a log from an index on anew, from the bodies as they are now. */
  relink(log: string, secret: string | undefined, from = 0): void {
    let hash: Buffer = startOf(log);
    for (const row of this.entries(log)) {
      if (row.idx < BigInt(from)) {
        hash = row.hash;
        continue;
      }
      const leaf = leafOf(this.body(row.event_id));
      hash = linkOf(secret, hash, row.idx, row.sealed_at, leaf);
      this.run('UPDATE audit_event SET leaf = ? WHERE id = ?', leaf, row.event_id);
      const sql = 'UPDATE audit_entry SET leaf = ?, hash = ? WHERE log = ? AND idx = ?';
      this.run(sql, leaf, hash, log, row.idx);
    }
  }

  /** Makes the head say what the entries say. @param mac a secret to sign with, null for none, undefined to leave the old MAC */
  rehead(log: string, mac: string | null | undefined): void {
    const rows = this.entries(log);
    const head = {
      log,
      size: rows.length,
      hash: rows.at(-1)?.hash ?? startOf(log),
      range: compactRange(rows.map(({ leaf }) => leaf)),
    };
    const sql = 'UPDATE audit_head SET size = ?, hash = ?, range = ? WHERE log = ?';
    this.run(sql, head.size, head.hash, head.range, log);
    if (mac === undefined) return;
    const signed = mac === null ? null : headMac(mac, head);
    this.run('UPDATE audit_head SET mac = ? WHERE log = ?', signed, log);
  }

  /** Rebuilds a table without what holds its rows apart: keys, types and NOT NULL. */
  loosen(table: 'audit_event' | 'audit_entry'): void {
    const columns = this.rows<{ name: string }>('SELECT name FROM pragma_table_info(?)', table);
    const names = columns.map(({ name }) => name).join(', ');
    this.run(`CREATE TABLE loose (${names}); INSERT INTO loose SELECT ${names} FROM ${table};
      DROP TABLE ${table}; ALTER TABLE loose RENAME TO ${table};`);
  }

  close(): void {
    this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
    this.#database.close();
  }
}
