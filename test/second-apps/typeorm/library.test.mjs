import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueryFailedError } from 'typeorm';
import { Book, borrow, giveBack, Loan, Member, openLibrary } from './library.mjs';

let library;

before(async () => {
  library = await openLibrary(process.env.LIBRARY_URL);
});

after(() => library.destroy());

test('a member joins with a number', async () => {
  const ada = await library.getRepository(Member).save({ name: 'Ada' });
  assert.equal(ada.id, 1);
  assert.equal(ada.loans, 0);
});

test('books are put in by the list', async () => {
  const books = ['a', 'b', 'c'].map((code) => ({ code, title: `Title ${code}` }));
  const { identifiers } = await library.getRepository(Book).insert(books);
  assert.deepEqual(identifiers, [{ code: 'a' }, { code: 'b' }, { code: 'c' }]);
});

test('the same code twice is refused', async () => {
  await assert.rejects(library.getRepository(Book).insert({ code: 'a', title: 'Again' }), (error) => {
    assert.ok(error instanceof QueryFailedError);
    return true;
  });
});

test('what is lent is gone, and no copy is lent twice', async () => {
  const loan = await borrow(library, 1, 'a');
  assert.equal(typeof loan.id, 'number');
  await assert.rejects(borrow(library, 1, 'a'), /no copy is left/);
  assert.deepEqual(await library.getRepository(Book).findOneBy({ code: 'a' }), {
    code: 'a',
    title: 'Title a',
    left: 0,
  });
});

test('a loan that fails half way leaves nothing', async () => {
  await assert.rejects(borrow(library, 99, 'b'));
  assert.equal(await library.getRepository(Loan).count(), 1);
  assert.equal((await library.getRepository(Book).findOneByOrFail({ code: 'b' })).left, 1);
});

test('a book comes back', async () => {
  const loan = await borrow(library, 1, 'c');
  await giveBack(library, loan.id);
  const member = await library
    .getRepository(Member)
    .findOneOrFail({ where: { id: 1 }, relations: { borrowed: true } });
  assert.equal(member.loans, 1);
  assert.equal(member.borrowed.length, 1);
});

test('a whole shelf is renamed at once, and by raw SQL', async () => {
  const { affected } = await library.getRepository(Book).update({ left: 1 }, { title: 'On the shelf' });
  assert.equal(affected, 2);
  await library.query("UPDATE loan SET note = 'due'");
  assert.deepEqual(await library.query('SELECT note FROM loan'), [{ note: 'due' }]);
});

test('a member who leaves takes the loans along', async () => {
  const { id } = await library.getRepository(Member).save({ name: 'Grace' });
  await borrow(library, id, 'b');
  await library.getRepository(Member).delete({ id });
  assert.equal(await library.getRepository(Loan).countBy({ memberId: id }), 0);
});
