import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT, read } from './workspace-files.js';

const ORMS = ['prisma', 'typeorm', 'sequelize'];
const folder = mkdtempSync(join(tmpdir(), 'indelible-recorded-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function table(...args: readonly string[]): string {
  return execFileSync(process.execPath, [join(ROOT, 'scripts/recorded-calls.mjs'), ...args], {
    encoding: 'utf8',
  }).trim();
}

describe('the tables of what is recorded of the calls of each ORM', () => {
  it.each(ORMS)('stands in the README of %s as it was observed', (orm) => {
    expect(table(orm)).toContain('| PostgreSQL 18 |');
    expect(table(orm).split('\n').length).toBeGreaterThan(20);
    expect(table(orm)).not.toContain('not run');
    expect(read(`packages/${orm}/README.md`)).toContain(table(orm));
  });

  it('stands in the README of the root, the weakest of all calls', () => {
    expect(read('README.md')).toContain(table('summary'));
    expect(table('summary')).toContain('| Prisma | TypeORM | Sequelize |');
    expect(table('summary')).not.toContain('not run');
    // What TypeORM's clear() and Sequelize's truncate come to on MariaDB.
    expect(table('summary')).toMatch(/\| delete all rows of a table \|.*`opaque` on MariaDB/);
  });

  it('says of a database that nobody has looked at that it was not run', () => {
    for (const orm of ORMS) {
      const observed = join(ROOT, 'packages', orm, 'test/recorded/observed');
      cpSync(join(observed, 'postgres-15.json'), join(folder, orm, 'postgres-15.json'));
    }
    for (const what of [...ORMS, 'summary']) {
      const rows = table(what, folder).split('\n').slice(2);
      expect(rows.length).toBeGreaterThan(10);
      expect(rows.filter((row) => !row.includes('**not run**'))).toEqual([]);
    }
  });
});
