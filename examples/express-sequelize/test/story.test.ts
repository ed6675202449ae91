import { describe, expect, it } from 'vitest';
import { describeMysql } from '../../../packages/mysql/test/test-mysql.js';
import { describePostgres } from '../../../packages/postgres/test/test-postgres.js';
import { losing, runExample } from '../../story/test/run-example.js';

async function play(url: string): Promise<void> {
  const { code, stdout, stderr } = await runExample('express-sequelize', { DATABASE_URL: url });
  // Where the log is kept, and nothing else.
  expect(stderr).toMatch(
    /^\[indelible\/core\] the audit log is kept in the database of the audited ORM, \S+\/store_\w+\.\n$/,
  );
  expect(stdout).toMatch(/All \d+ checks passed\.\n$/);
  expect(stdout).not.toContain('FAILED');
  expect(code).toBe(0);
}

describe('the store on Express and Sequelize', { timeout: 60_000 }, () => {
  it('plays its story on a server that it starts itself, and all that it should record is on record', async () => {
    const { code, stdout } = await runExample('express-sequelize', { DATABASE_URL: undefined });
    expect(stdout).toMatch(/All \d+ checks passed\.\n$/);
    expect(code).toBe(0);
  });

  it('ends with exit code 1 where something is missing', async () => {
    const { code, stdout } = await runExample('express-sequelize', {
      DATABASE_URL: undefined,
      ...losing('/sell-off'),
    });
    expect(stdout).toContain('FAILED: "Raw SQL"');
    expect(code).toBe(1);
  });
});

describePostgres('the store on Express and Sequelize', ({ url }) => {
  it('plays its story there too', () => play(url), 60_000);
});

describeMysql('the store on Express and Sequelize', ({ url }) => {
  it('plays its story there too', () => play(url), 60_000);
});
