import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findSecrets } from '../src/day/find-secrets.js';

const SECRET = 'notes-on-the-engine-G';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'find-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function search(bytes: Buffer, name = 'clinic.db'): readonly string[] {
  writeFileSync(join(folder, name), bytes);
  return findSecrets(folder, { password: SECRET }).map(({ secret, file }) => `${secret} ${file}`);
}

describe('the search for secrets', () => {
  it('finds a secret amid other bytes', () => {
    expect(search(Buffer.from(`\0\x01${SECRET}\xff`, 'latin1'))).toEqual(['password clinic.db']);
  });

  it('finds it in the WAL and in folders below', () => {
    expect(search(Buffer.from(SECRET), 'clinic.db-wal')).toEqual(['password clinic.db-wal']);
    mkdirSync(join(folder, 'spool'));
    expect(search(Buffer.from(SECRET), join('spool', '1'))).toContain('password 1');
  });

  it.each([0, 1, 2, 3])('finds it in base64, %i bytes after its beginning', (offset) => {
    const text = Buffer.from(`${'x'.repeat(offset)}${SECRET}yz`).toString('base64');
    expect(search(Buffer.from(text))).toHaveLength(1);
  });

  it('finds it in hex of either case and in UTF-16', () => {
    const hex = Buffer.from(SECRET).toString('hex');
    expect(search(Buffer.from(hex))).toHaveLength(1);
    expect(search(Buffer.from(hex.toUpperCase()))).toHaveLength(1);
    expect(search(Buffer.from(SECRET, 'utf16le'))).toHaveLength(1);
  });

  it('finds nothing where there is only a part of it', () => {
    expect(search(Buffer.from(SECRET.slice(0, -1)))).toEqual([]);
  });
});
