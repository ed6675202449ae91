import { Router } from 'express';
import { Op, type Sequelize } from 'sequelize';
import { Label, Order, OrderLine, Part } from './models.js';

interface NewOrder {
  readonly customer: string;
  readonly lines: readonly { readonly partId: number; readonly quantity: number }[];
}

export function orderRoutes(sequelize: Sequelize): Router {
  const routes = Router();

  routes.post('/orders', async ({ body }: { body: NewOrder }, response) => {
    const { id } = await sequelize.transaction(async (transaction) => {
      const { customer, lines } = body;
      const order = await Order.create({ customer, lines } as never, {
        include: [{ model: OrderLine, as: 'lines' }],
        transaction,
      });
      for (const { partId, quantity } of lines) {
        const [count] = await Part.update(
          { stock: sequelize.literal(`stock - ${Number(quantity)}`) },
          { where: { id: partId, stock: { [Op.gte]: quantity } }, transaction },
        );
        // Thrown inside of the transaction: neither the order nor its events stay.
        if (count === 0) throw Object.assign(new Error('not in stock'), { status: 409 });
      }
      return order;
    });
    response.status(201).json({ id });
  });

  routes.put('/orders/:id/labels', async ({ params, body }, response) => {
    const order = await Order.findByPk(params.id, { rejectOnEmpty: true });
    const names: string[] = body.labels;
    for (const name of names) await Label.findOrCreate({ where: { name } });
    await order.setLabels(names);
    response.sendStatus(204);
  });

  routes.delete('/orders/:id', async ({ params }, response) => {
    await Order.destroy({ where: { id: params.id } });
    response.sendStatus(204);
  });

  routes.post('/orders/:id/restore', async ({ params }, response) => {
    await Order.restore({ where: { id: params.id } });
    response.sendStatus(204);
  });

  routes.delete('/orders/:id/forever', async ({ params }, response) => {
    await Order.destroy({ where: { id: params.id }, force: true });
    response.sendStatus(204);
  });

  return routes;
}
