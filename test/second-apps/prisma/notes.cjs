// Notebooks with Prisma. They know nothing of auditing.
const { PrismaLibSql } = require('@prisma/adapter-libsql');

/** The same client as a module of either kind. */
const loadClient = async () =>
  process.env.NOTES_CLIENT === 'esm' ? import('./dist/esm/client.mjs') : require('./dist/cjs/client.cjs');

const TABLES = [
  'CREATE TABLE IF NOT EXISTS notebook (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)',
  `CREATE TABLE IF NOT EXISTS note (
    id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, pinned INTEGER NOT NULL DEFAULT 0,
    notebook_id INTEGER NOT NULL REFERENCES notebook (id) ON DELETE CASCADE)`,
];

async function openNotes(file) {
  const { PrismaClient } = await loadClient();
  const prisma = new PrismaClient({ adapter: new PrismaLibSql({ url: `file:${file}` }) });
  for (const table of TABLES) await prisma.$executeRawUnsafe(table);
  return prisma;
}

/** Moves all notes to another notebook and throws the first one away. */
async function merge(prisma, from, to) {
  return prisma.$transaction(async (tx) => {
    const target = await tx.notebook.findUniqueOrThrow({ where: { name: to } });
    const { count } = await tx.note.updateMany({
      where: { notebook: { name: from } },
      data: { notebookId: target.id },
    });
    await tx.notebook.delete({ where: { name: from } });
    return count;
  });
}

module.exports = { loadClient, openNotes, merge };
