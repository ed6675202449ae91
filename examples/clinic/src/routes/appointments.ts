import { Router } from 'express';
import type { Database } from '../database.js';
import { readId, readInput } from '../read-input.js';
import { allow } from '../session.js';

export function appointmentRoutes(prisma: Database): Router {
  const router = Router();

  router.post('/appointments/:id/arrival', allow('receptionist', 'nurse'), async (request, response) => {
    const appointment = await prisma.appointment.update({
      where: { id: readId(request.params.id), status: 'booked' },
      data: { status: 'arrived' },
    });
    response.json(appointment);
  });

  router.post('/appointments/move', allow('receptionist'), async (request, response) => {
    const input = readInput(request.body);
    const moved = await prisma.appointment.updateMany({
      where: { startsAt: { gte: input.date('from') }, status: 'booked' },
      data: { room: input.text('room') },
    });
    response.json({ moved: moved.count });
  });

  router.post('/appointments/close-day', allow('receptionist'), async (request, response) => {
    const until = readInput(request.body).date('until');
    const missed = await prisma.$executeRaw`
      UPDATE "appointment" SET "status" = 'missed' WHERE "status" = 'booked' AND "starts_at" < ${until}`;
    response.json({ missed });
  });

  return router;
}
