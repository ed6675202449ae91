import { auditContext } from '@indelible/express';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Database } from './database.js';
import { Prisma } from './generated/prisma/client.js';
import { HttpError } from './http-error.js';
import { appointmentRoutes } from './routes/appointments.js';
import { patientRoutes } from './routes/patients.js';
import { paymentRoutes } from './routes/payments.js';
import { prescriptionRoutes } from './routes/prescriptions.js';
import { signInRoutes } from './routes/sign-in.js';
import { staffRoutes } from './routes/staff.js';
import { authenticate } from './session.js';

export function createApp(prisma: Database): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(auditContext({ captureBody: true }));
  app.use(express.json({ limit: '100kb' }));
  app.use(authenticate(prisma));
  app.use(signInRoutes(prisma));
  app.use(patientRoutes(prisma));
  app.use(appointmentRoutes(prisma));
  app.use(prescriptionRoutes(prisma));
  app.use(paymentRoutes(prisma));
  app.use(staffRoutes(prisma));
  app.use(answerError);
  return app;
}

const answerError: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const { status, message } = readError(error);
  if (status === 500) console.error(error);
  response.status(status).json({ error: message });
};

function readError(error: unknown): { status: number; message: string } {
  if (error instanceof HttpError) return error;
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    if (error.code === 'P2002') return { status: 409, message: 'there is one already' };
    if (error.code === 'P2003' || error.code === 'P2025') return { status: 404, message: 'no such record' };
  }
  // What body-parser throws: malformed JSON (400), too large (413).
  if (error instanceof Error && 'expose' in error && error.expose === true && 'status' in error) {
    return { status: Number(error.status), message: error.message };
  }
  return { status: 500, message: 'something went wrong' };
}
