import { logAuthEvent } from '@indelible/auth';
import { Router } from 'express';
import type { Database } from '../database.js';
import { Role } from '../generated/prisma/enums.js';
import { readId, readInput } from '../read-input.js';
import { allow, currentUser } from '../session.js';

export function staffRoutes(prisma: Database): Router {
  const router = Router();

  router.put('/staff/:id/role', allow('admin'), async (request, response) => {
    const id = readId(request.params.id);
    const role = readInput(request.body).oneOf('role', Object.values(Role));
    const staff = await prisma.staff.update({
      where: { id },
      data: { role },
      select: { name: true, role: true },
    });
    await logAuthEvent('role_changed', currentUser(request).id, request, { targetUserId: id, role });
    response.json(staff);
  });

  return router;
}
