import { Router } from 'express';
import type { Database } from '../database.js';
import { HttpError } from '../http-error.js';
import { readInput } from '../read-input.js';
import { allow, currentUser } from '../session.js';

export function prescriptionRoutes(prisma: Database): Router {
  const router = Router();

  router.post('/prescriptions', allow('doctor'), async (request, response) => {
    const input = readInput(request.body);
    const appointmentId = input.integer('appointmentId');
    const prescriberId = Number(currentUser(request).id);
    const items = input.list('items').map((item) => ({
      drugId: item.integer('drugId'),
      doseMg: item.decimal('doseMg'),
      tablets: item.integer('tablets'),
      instructions: item.text('instructions'),
    }));

    const prescription = await prisma.$transaction(async (tx) => {
      const { patientId } = await tx.appointment.update({
        where: { id: appointmentId },
        data: { status: 'done' },
      });
      const created = await tx.prescription.create({
        data: { patientId, prescriberId, appointmentId, items: { create: items } },
        include: { items: true },
      });
      for (const { drugId, tablets } of items) {
        const dispensed = await tx.drug.updateMany({
          where: { id: drugId, stock: { gte: tablets } },
          data: { stock: { decrement: tablets } },
        });
        if (dispensed.count === 0) throw new HttpError(409, `drug ${drugId} is not in stock`);
      }
      return created;
    });
    response.status(201).json(prescription);
  });

  return router;
}
