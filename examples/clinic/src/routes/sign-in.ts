import { logAuthEvent } from '@indelible/auth';
import { Router } from 'express';
import type { Database } from '../database.js';
import { HttpError } from '../http-error.js';
import { hashPassword, verifyPassword } from '../passwords.js';
import { readInput } from '../read-input.js';
import { allow, currentUser, endSession, startSession, userOf } from '../session.js';

export function signInRoutes(prisma: Database): Router {
  const router = Router();
  // An unknown address costs as much time as a wrong password, so that the answer does not tell which it was.
  const nobody = hashPassword('');

  router.post('/sign-in', async (request, response) => {
    const input = readInput(request.body);
    const email = input.text('email');
    const staff = await prisma.staff.findUnique({ where: { email } });
    const right = await verifyPassword(input.text('password'), staff?.passwordHash ?? (await nobody));
    if (staff === null || !right) {
      const reason = staff === null ? 'unknown_account' : 'wrong_password';
      await logAuthEvent('login_failed', staff?.id, request, { email, reason });
      throw new HttpError(401, 'unknown address or wrong password');
    }
    request.user = userOf(staff);
    await startSession(prisma, staff.id, response);
    await logAuthEvent('login', staff.id, request);
    response.json({ name: staff.name, role: staff.role });
  });

  router.post('/sign-out', allow(), async (request, response) => {
    const user = currentUser(request);
    await endSession(prisma, request, response);
    await logAuthEvent('logout', user.id, request);
    response.json({ goodbye: user.name });
  });

  router.put('/password', allow(), async (request, response) => {
    const input = readInput(request.body);
    const user = currentUser(request);
    const where = { id: Number(user.id) };
    const { passwordHash } = await prisma.staff.findUniqueOrThrow({ where });
    if (!(await verifyPassword(input.text('currentPassword'), passwordHash))) {
      throw new HttpError(403, 'the current password is another one');
    }
    await prisma.staff.update({
      where,
      data: { passwordHash: await hashPassword(input.text('newPassword')) },
    });
    await logAuthEvent('password_changed', user.id, request);
    response.json({ changed: true });
  });

  return router;
}
