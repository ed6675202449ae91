import { ormSuite } from '@indelible/capture/conformance';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBouncer, startBouncer, type TestBouncer } from '../../../postgres/test/test-bouncer.js';
import { createPostgresHarness, POSTGRES_SQL } from './postgres-harness.js';

describeBouncer('Prisma', (server) => {
  let bouncer: TestBouncer;
  beforeAll(async () => {
    bouncer = await startBouncer(server);
  });
  afterAll(() => bouncer.stop());

  ormSuite({
    test: (name, run) => test(name, run),
    factory: (options) =>
      createPostgresHarness({ server, pool: 10, through: (url) => bouncer.through(url) }, options),
    supports: { batch: true, nested: true, survivesFailure: false, parallel: true },
    sql: POSTGRES_SQL,
  });

  test('connections of the client share fewer ones to the server', async () => {
    const harness = await createPostgresHarness({ server, pool: 10, through: (url) => bouncer.through(url) });
    try {
      const used = await Promise.all(
        Array.from({ length: 20 }, () =>
          harness.prisma.$transaction(async (tx) => {
            await tx.$executeRaw`UPDATE "Tag" SET "label" = 'x' WHERE false`;
            const [row] = await tx.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
            return row?.pid;
          }),
        ),
      );
      expect(new Set(used).size).toBeLessThanOrEqual(3);
    } finally {
      await harness.close();
    }
  });
});
