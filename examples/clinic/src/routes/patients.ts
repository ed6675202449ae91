import { Router } from 'express';
import type { Database } from '../database.js';
import { type Input, readId, readInput } from '../read-input.js';
import { allow } from '../session.js';

export function patientRoutes(prisma: Database): Router {
  const router = Router();

  router.post('/patients', allow('receptionist'), async (request, response) => {
    const input = readInput(request.body);
    const patient = await prisma.patient.create({
      data: {
        name: input.text('name'),
        bornOn: input.date('bornOn'),
        contact: readContact(input.object('contact')),
        allergies: {
          connectOrCreate: input.texts('allergies').map((name) => ({ where: { name }, create: { name } })),
        },
        appointments: {
          create: input.list('appointments').map((appointment) => ({
            startsAt: appointment.date('startsAt'),
            room: appointment.text('room'),
            fee: appointment.decimal('fee'),
            doctorId: appointment.integer('doctorId'),
          })),
        },
      },
      include: { allergies: true, appointments: true },
    });
    response.status(201).json(patient);
  });

  router.get('/patients/:id', allow('nurse', 'doctor', 'receptionist'), async (request, response) => {
    const patient = await prisma.patient.findUniqueOrThrow({
      where: { id: readId(request.params.id) },
      include: { allergies: true, appointments: true, prescriptions: { include: { items: true } } },
    });
    response.json(patient);
  });

  router.patch('/patients/:id/contact', allow('receptionist'), async (request, response) => {
    const patient = await prisma.patient.update({
      where: { id: readId(request.params.id) },
      data: { contact: readContact(readInput(request.body).object('contact')) },
    });
    response.json(patient);
  });

  router.delete('/patients/:id', allow('admin'), async (request, response) => {
    await prisma.patient.delete({ where: { id: readId(request.params.id) } });
    response.status(204).end();
  });

  return router;
}

function readContact(input: Input): { phone: string; city: string } {
  return { phone: input.text('phone'), city: input.text('city') };
}
