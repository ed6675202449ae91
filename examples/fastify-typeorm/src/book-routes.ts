import type { FastifyPluginAsync } from 'fastify';
import type { DataSource } from 'typeorm';
import { Book } from './entities.js';

interface NewBook {
  title: string;
  shelf: string;
  copies: number;
}

const newBook = {
  type: 'object',
  required: ['title', 'shelf', 'copies'],
  properties: {
    title: { type: 'string' },
    shelf: { type: 'string' },
    copies: { type: 'integer', minimum: 0 },
  },
} as const;

export function bookRoutes(dataSource: DataSource): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Body: NewBook }>('/books', { schema: { body: newBook } }, async ({ body }, reply) => {
      const book = await dataSource.getRepository(Book).save({ ...body });
      return reply.code(201).send(book);
    });

    // One statement for many rows: what each of them was is on record all the same.
    app.post<{ Body: { from: string; to: string } }>('/books/move', async ({ body: { from, to } }) => {
      const { affected } = await dataSource.getRepository(Book).update({ shelf: from }, { shelf: to });
      return { affected };
    });

    // A name for what this route does, beside its request.
    app.get(
      '/books/export',
      { config: { audit: { action: 'catalogue.exported', details: () => ({ format: 'json' }) } } },
      async () => dataSource.getRepository(Book).find(),
    );
  };
}
