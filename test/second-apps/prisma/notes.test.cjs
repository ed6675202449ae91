const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { loadClient, merge, openNotes } = require('./notes.cjs');

let prisma;
let Prisma;

before(async () => {
  ({ Prisma } = await loadClient());
  prisma = await openNotes(process.env.NOTES_FILE);
});

after(() => prisma.$disconnect());

test('a notebook is made with its notes', async () => {
  const made = await prisma.notebook.create({
    data: { name: 'work', notes: { create: [{ text: 'one' }, { text: 'two' }] } },
    include: { notes: { select: { text: true } } },
  });
  assert.deepEqual(made, { id: 1, name: 'work', notes: [{ text: 'one' }, { text: 'two' }] });
});

test('a name is there once', async () => {
  await assert.rejects(prisma.notebook.create({ data: { name: 'work' } }), (error) => {
    assert.ok(error instanceof Prisma.PrismaClientKnownRequestError);
    assert.equal(error.code, 'P2002');
    return true;
  });
});

test('a note is pinned, and again', async () => {
  const note = await prisma.note.update({
    where: { id: 1 },
    data: { pinned: { increment: 1 } },
    select: { pinned: true },
  });
  assert.deepEqual(note, { pinned: 1 });
  assert.equal(await prisma.$executeRaw`UPDATE note SET pinned = pinned + 1 WHERE id = ${1}`, 1);
  assert.deepEqual(await prisma.note.findMany({ where: { pinned: 2 }, select: { id: true } }), [{ id: 1 }]);
});

test('notebooks are merged', async () => {
  await prisma.notebook.create({ data: { name: 'home', notes: { create: { text: 'three' } } } });
  assert.equal(await merge(prisma, 'work', 'home'), 2);
  assert.equal(await prisma.note.count(), 3);
});

test('a merge into nothing changes nothing', async () => {
  await assert.rejects(merge(prisma, 'home', 'nowhere'), { code: 'P2025' });
  assert.equal(await prisma.notebook.count(), 1);
});

test('a list of operations succeeds as one', async () => {
  await assert.rejects(
    prisma.$transaction([
      prisma.note.create({ data: { text: 'four', notebookId: 2 } }),
      prisma.note.create({ data: { text: 'five', notebookId: 99 } }),
    ]),
  );
  assert.equal(await prisma.note.count(), 3);
});

test('a notebook takes its notes along', async () => {
  const gone = await prisma.notebook.create({ data: { name: 'gone', notes: { create: { text: 'six' } } } });
  await prisma.notebook.delete({ where: { id: gone.id } });
  assert.equal(await prisma.note.count(), 3);
});
