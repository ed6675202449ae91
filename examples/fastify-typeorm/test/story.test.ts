import { describe, expect, it } from 'vitest';
import { losing, runExample } from '../../story/test/run-example.js';

describe('the library on Fastify and TypeORM', { timeout: 60_000 }, () => {
  it('plays its story, and all that it should record is on record', async () => {
    const { code, stdout, stderr } = await runExample('fastify-typeorm');
    // Where the log is kept, and nothing else.
    expect(stderr).toMatch(
      /^\[indelible\/core\] the audit log is kept in the database of the audited ORM, .*library\.db\.\n$/,
    );
    expect(stdout).toMatch(/All \d+ checks passed\.\n$/);
    expect(stdout).not.toContain('FAILED');
    expect(code).toBe(0);
  });

  it('ends with exit code 1 where something is missing', async () => {
    const { code, stdout } = await runExample('fastify-typeorm', losing('/forever'));
    expect(stdout).toContain('FAILED: "and is deleted by raw SQL');
    expect(code).toBe(1);
  });
});
