import pg from 'pg';
import { expect, test } from 'vitest';
import { describePostgres } from './test-postgres.js';

describePostgres('a test server', (server) => {
  test('has the version that was asked for, and gives databases that are empty and go', async () => {
    const database = await server.createDatabase();
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query(
      `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_encoding') AS encoding,
        (SELECT count(*)::int FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS tables`,
    );
    expect(rows).toEqual([{ version: server.version, encoding: 'UTF8', tables: 0 }]);
    await database.drop();
    await database.drop();
    await expect(client.query('SELECT 1')).rejects.toThrow();
    const again = new pg.Client({ connectionString: database.url });
    await expect(again.connect()).rejects.toMatchObject({ code: '3D000' });
  });
});
