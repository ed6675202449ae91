import type { FastifyPluginAsync } from 'fastify';
import { type DataSource, MoreThan } from 'typeorm';
import { Book, Loan } from './entities.js';

export function loanRoutes(dataSource: DataSource): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Body: { book: number; reader: number } }>('/loans', async ({ body }, reply) => {
      const loan = await dataSource.transaction(async (manager) => {
        const saved = await manager.save(Loan, { book: { id: body.book }, reader: { id: body.reader } });
        const { affected } = await manager.decrement(
          Book,
          { id: body.book, copies: MoreThan(0) },
          'copies',
          1,
        );
        // Thrown inside of the transaction: neither the loan nor its event stays.
        if (affected === 0) throw Object.assign(new Error('no copy is left'), { statusCode: 409 });
        return saved;
      });
      return reply.code(201).send({ id: loan.id });
    });

    app.delete<{ Params: { id: number } }>('/loans/:id', async ({ params: { id } }, reply) => {
      await dataSource.transaction(async (manager) => {
        const loan = await manager.findOneOrFail(Loan, { where: { id }, relations: { book: true } });
        await manager.increment(Book, { id: loan.book.id }, 'copies', 1);
        await manager.remove(loan);
      });
      return reply.code(204).send();
    });
  };
}
