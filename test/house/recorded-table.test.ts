import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT, read } from './workspace-files.js';

const OBSERVED = join(ROOT, 'packages/capture/test/recorded/observed');
const folder = mkdtempSync(join(tmpdir(), 'indelible-recorded-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function table(...args: readonly string[]): string {
  return execFileSync(process.execPath, [join(ROOT, 'scripts/recorded-table.mjs'), ...args], {
    encoding: 'utf8',
  });
}

describe('the table of what is recorded', () => {
  it('stands in the README of capture as it was observed, with a column for each database', () => {
    expect(read('packages/capture/README.md')).toContain(table().trim());
    expect(table()).toContain('| SQLite | PostgreSQL 15 | PostgreSQL 18 |');
    expect(table()).not.toContain('not run');
  });

  it('says of a database that nobody has looked at that it was not run', () => {
    for (const file of ['sqlite.json', 'postgres-15.json']) cpSync(join(OBSERVED, file), join(folder, file));
    const rows = table(folder)
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.includes('PostgreSQL 18'));
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.filter((row) => !row.includes('| **not run** |'))).toEqual([]);
  });
});
