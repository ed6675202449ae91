import { openItems } from './item-database.js';
import { type Figure, microsecondsEach, paired } from './paired.js';

const ROWS = 1_000;

/** Single updates, bulk updates and reads through Prisma on SQLite, audited beside plain. */
export async function prismaBench(pairs: number): Promise<readonly Figure[]> {
  const plain = await openItems(ROWS, false);
  const audited = await openItems(ROWS, true);
  const hand = await openItems(ROWS, false);
  const calls = 100;
  let turn = 0;
  try {
    const updateWith = (database: typeof plain) => () =>
      microsecondsEach(calls, (index) => {
        turn += 1;
        const where = { id: 1 + ((index * 7) % ROWS) };
        return database.client.item.update({ where, data: { stock: turn, status: `s${turn}` } });
      });
    const handWritten = () =>
      microsecondsEach(calls, (index) => {
        turn += 1;
        const where = { id: 1 + ((index * 7) % ROWS) };
        return hand.client.$transaction(async (tx) => {
          const before = await tx.item.findUniqueOrThrow({ where });
          const after = await tx.item.update({ where, data: { stock: turn, status: `s${turn}` } });
          await tx.handLog.create({
            data: {
              actor: 'ada',
              action: 'item.updated',
              itemId: after.id,
              before: JSON.stringify(before),
              after: JSON.stringify(after),
            },
          });
        });
      });
    const readWith = (database: typeof plain) => () =>
      microsecondsEach(calls * 2, (index) =>
        database.client.item.findUnique({ where: { id: 1 + ((index * 3) % ROWS) } }),
      );
    const bulkWith = (database: typeof plain) => () =>
      microsecondsEach(1, () => {
        turn += 1;
        return database.client.item.updateMany({ data: { stock: turn } });
      });
    for (const warm of [
      updateWith(plain),
      updateWith(audited),
      handWritten,
      readWith(plain),
      readWith(audited),
    ]) {
      for (let round = 0; round < 3; round += 1) await warm();
    }
    const update = await paired({
      name: 'Prisma single-row update, exact',
      baseline: 'the same without auditing',
      pairs,
      unit: 'µs',
      target: { sign: '<=', value: 2 },
      note: 'around the statement of the application there are BEGIN, one SELECT of what was touched and of the schema version, one INSERT and COMMIT, each of which the driver adapter prepares anew. In a profile these and the six more pages that a COMMIT writes (the event, its indexes, the pending row) were about four fifths of what auditing adds, making the event a tenth, and sealing, which runs in the same process, less than a tenth.',
      measureSubject: updateWith(audited),
      measureBaseline: updateWith(plain),
    });
    const byHand = await paired({
      name: 'Prisma single-row update, exact',
      baseline: 'find + update + create by hand in an interactive transaction',
      pairs,
      unit: 'µs',
      target: { sign: '<=', value: 1 },
      measureSubject: updateWith(audited),
      measureBaseline: handWritten,
    });
    const reads = await paired({
      name: 'Prisma findUnique',
      baseline: 'the same without auditing',
      pairs: pairs * 2,
      unit: 'µs',
      target: { sign: '<=', value: 1.05 },
      measureSubject: readWith(audited),
      measureBaseline: readWith(plain),
    });
    await audited.audit?.flush();
    await bulkWith(audited)();
    await bulkWith(plain)();
    const insertEvents = rawInsert(audited, plain);
    const bulk = await paired({
      name: 'Prisma update of 1,000 rows, exact',
      baseline: 'the plain update plus a raw insert of the same 1,000 event rows',
      pairs,
      unit: 'µs',
      target: { sign: '<=', value: 2 },
      measureSubject: async () => {
        await audited.audit?.flush();
        return bulkWith(audited)();
      },
      measureBaseline: async () => (await bulkWith(plain)()) + insertEvents(),
    });
    return [update, byHand, bulk, reads];
  } finally {
    for (const database of [plain, audited, hand]) await database.close();
  }
}

/** Inserts the events of the last bulk update into the other file: same rows, same indexes, one transaction. */
function rawInsert(source: Awaited<ReturnType<typeof openItems>>, target: typeof source): () => number {
  const schema: unknown[][] = source.raw
    .prepare(
      "SELECT sql FROM sqlite_schema WHERE tbl_name = 'audit_event' AND type IN ('table','index') AND sql IS NOT NULL",
    )
    .raw()
    .all() as unknown[][];
  for (const [sql] of schema) target.raw.exec(String(sql));
  const rows: unknown[][] = source.raw
    .prepare(`SELECT * FROM audit_event ORDER BY id DESC LIMIT ${ROWS}`)
    .raw()
    .all() as unknown[][];
  const marks = rows[0]?.map(() => '?').join(',') ?? '';
  const insert = target.raw.prepare(`INSERT INTO audit_event VALUES (${marks})`);
  let round = 0;
  return () => {
    round += 1;
    const start = performance.now();
    target.raw.exec('BEGIN');
    for (const [id, ...rest] of rows) insert.run(`${String(id)}-${round}`, ...rest);
    target.raw.exec('COMMIT');
    return (performance.now() - start) * 1_000;
  };
}
