// A lending library with TypeORM. It knows nothing of auditing.
import { createRequire } from 'node:module';
import { DataSource, EntitySchema } from 'typeorm';

export const Member = new EntitySchema({
  name: 'Member',
  tableName: 'member',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    name: { type: 'varchar', length: 100 },
    loans: { type: 'int', default: 0 },
  },
  relations: { borrowed: { type: 'one-to-many', target: 'Loan', inverseSide: 'member' } },
});

export const Book = new EntitySchema({
  name: 'Book',
  tableName: 'book',
  columns: {
    code: { type: 'varchar', length: 20, primary: true },
    title: { type: 'varchar', length: 200 },
    left: { type: 'int', name: 'copies_left', default: 1 },
  },
});

export const Loan = new EntitySchema({
  name: 'Loan',
  tableName: 'loan',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    memberId: { type: 'int' },
    bookCode: { type: 'varchar', length: 20 },
    note: { type: 'varchar', length: 200, nullable: true },
  },
  relations: {
    member: {
      type: 'many-to-one',
      target: 'Member',
      inverseSide: 'borrowed',
      joinColumn: { name: 'memberId' },
      onDelete: 'CASCADE',
    },
    book: { type: 'many-to-one', target: 'Book', joinColumn: { name: 'bookCode' } },
  },
});

/** @param {string} url a file, or the URL of a server */
export async function openLibrary(url) {
  const entities = [Member, Book, Loan];
  const [scheme] = url.split(':');
  const options = /^(?:postgres|mysql)$/.test(scheme)
    ? { type: scheme, url }
    : { type: 'better-sqlite3', driver: createRequire(import.meta.url)('libsql'), database: url };
  return new DataSource({
    ...options,
    entities,
    synchronize: true,
    extra: { max: 3, connectionLimit: 3 },
  }).initialize();
}

/** Lends the last copy to one of two who ask for it. */
export async function borrow(library, memberId, bookCode) {
  return library.transaction(async (manager) => {
    const { affected } = await manager
      .createQueryBuilder()
      .update(Book)
      .set({ left: () => 'copies_left - 1' })
      .where('code = :bookCode AND copies_left > 0', { bookCode })
      .execute();
    if (affected !== 1) throw new Error('no copy is left');
    await manager.increment(Member, { id: memberId }, 'loans', 1);
    return manager.save(Loan, { memberId, bookCode });
  });
}

export async function giveBack(library, loanId) {
  await library.transaction(async (manager) => {
    const loan = await manager.findOneByOrFail(Loan, { id: loanId });
    await manager.increment(Book, { code: loan.bookCode }, 'left', 1);
    await manager.decrement(Member, { id: loan.memberId }, 'loans', 1);
    await manager.remove(Loan, loan);
  });
}
