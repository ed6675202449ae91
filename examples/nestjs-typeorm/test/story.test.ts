import { describe, expect, it } from 'vitest';
import { losing, runExample } from '../../story/test/run-example.js';

describe('the newsroom on NestJS and TypeORM', { timeout: 60_000 }, () => {
  it('plays its story, and all that it should record is on record', async () => {
    const { code, stdout, stderr } = await runExample('nestjs-typeorm');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/All \d+ checks passed\.\n$/);
    expect(stdout).not.toContain('FAILED');
    expect(code).toBe(0);
  });

  it('ends with exit code 1 where something is missing', async () => {
    const { code, stdout } = await runExample('nestjs-typeorm', losing('/articles/1/publication'));
    expect(stdout).toContain('FAILED: "Max, an editor, may');
    expect(code).toBe(1);
  });
});
