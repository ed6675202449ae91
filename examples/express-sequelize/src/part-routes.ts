import { auditAction } from '@indelible/express';
import { Router } from 'express';
import type { Sequelize } from 'sequelize';
import { Part, Supplier } from './models.js';

export function partRoutes(sequelize: Sequelize): Router {
  const routes = Router();

  routes.post('/parts', async ({ body }, response) => {
    const parts = await Part.bulkCreate(body.parts, { fields: ['name', 'cents', 'stock'] });
    response.status(201).json(parts);
  });

  // The database computes the values. What each row came to is on record.
  routes.post('/parts/raise', async (_request, response) => {
    const [count] = await Part.update({ cents: sequelize.literal('cents + 10') }, { where: {} });
    response.json({ count });
  });

  // Raw SQL passes every hook of Sequelize, and not the audit.
  routes.post('/parts/:id/sell-off', async ({ params: { id } }, response) => {
    const name = sequelize.getQueryInterface().quoteIdentifier('Parts', true);
    await sequelize.query(`UPDATE ${name} SET cents = 1 WHERE id = :id`, { replacements: { id } });
    response.sendStatus(204);
  });

  // A name for what this route does, beside its request.
  routes.get('/parts/export', auditAction('prices.exported'), async (_request, response) => {
    response.json(await Part.findAll());
  });

  routes.put('/suppliers/:code', async ({ params: { code }, body }, response) => {
    await Supplier.upsert({ code, name: body.name, apiKey: body.apiKey });
    response.sendStatus(204);
  });

  return routes;
}
