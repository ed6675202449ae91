import { Router } from 'express';
import type { Database } from '../database.js';
import { HttpError } from '../http-error.js';
import { type Input, readInput } from '../read-input.js';
import { allow } from '../session.js';

export function paymentRoutes(prisma: Database): Router {
  const router = Router();

  router.post('/payments', allow('receptionist'), async (request, response) => {
    const input = readInput(request.body);
    const payment = await prisma.payment.create({
      data: {
        patientId: input.integer('patientId'),
        amount: input.decimal('amount'),
        method: chargeCard(input),
      },
    });
    response.status(201).json(payment);
  });

  return router;
}

/** Stands for the payment provider. The clinic keeps the last four digits and nothing else of the card. */
function chargeCard(input: Input): string {
  const digits = input.text('cardNumber').replaceAll(' ', '');
  if (!/^\d{13,19}$/.test(digits) || !/^\d{3,4}$/.test(input.text('cvv'))) {
    throw new HttpError(402, 'the card was refused');
  }
  return `card ending in ${digits.slice(-4)}`;
}
