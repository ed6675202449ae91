import type { FastifyPluginAsync } from 'fastify';
import type { DataSource } from 'typeorm';
import { Reader } from './entities.js';

export function readerRoutes(dataSource: DataSource): FastifyPluginAsync {
  const readers = dataSource.getRepository(Reader);
  return async (app) => {
    app.post<{ Body: { name: string; password: string; notes?: string } }>(
      '/readers',
      async ({ body: { name, password, notes = '' } }, reply) => {
        const { id } = await readers.save({ name, password, notes });
        return reply.code(201).send({ id });
      },
    );

    app.patch<{ Params: { id: number }; Body: { name?: string; password?: string; notes?: string } }>(
      '/readers/:id',
      async ({ params: { id }, body: { name, password, notes } }, reply) => {
        await readers.update(
          { id },
          { ...(name && { name }), ...(password && { password }), ...(notes && { notes }) },
        );
        return reply.code(204).send();
      },
    );

    // Soft: the row stays, with the time at which its reader left.
    app.delete<{ Params: { id: number } }>('/readers/:id', async ({ params: { id } }, reply) => {
      await readers.softDelete({ id });
      return reply.code(204).send();
    });

    app.delete<{ Params: { id: number } }>('/readers/:id/forever', async ({ params: { id } }, reply) => {
      await dataSource.query('DELETE FROM reader WHERE id = ?', [id]);
      return reply.code(204).send();
    });
  };
}
