import { createHash, randomBytes } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Database } from './database.js';
import type { Role } from './generated/prisma/enums.js';
import { HttpError } from './http-error.js';

export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
}

declare global {
  namespace Express {
    interface Request {
      user?: User;
    }
  }
}

const COOKIE = 'clinic_session';
const HOURS = 12;

export function userOf({ id, email, name, role }: Omit<User, 'id'> & { id: number }): User {
  return { id: String(id), email, name, role };
}

export async function startSession(prisma: Database, staffId: number, response: Response): Promise<void> {
  const token = randomBytes(32).toString('base64url');
  const expiresAt = new Date(Date.now() + HOURS * 3_600_000);
  await prisma.session.create({ data: { tokenHash: hashToken(token), expiresAt, staffId } });
  response.cookie(COOKIE, token, { httpOnly: true, sameSite: 'strict', expires: expiresAt });
}

export async function endSession(prisma: Database, request: Request, response: Response): Promise<void> {
  const token = tryReadToken(request);
  if (token !== undefined) await prisma.session.deleteMany({ where: { tokenHash: hashToken(token) } });
  response.clearCookie(COOKIE);
}

/** Finds out who is asking. Without a valid session the request goes on, with no user. */
export function authenticate(prisma: Database): RequestHandler {
  return async (request, _response, next) => {
    const token = tryReadToken(request);
    if (token !== undefined) {
      const session = await prisma.session.findUnique({
        where: { tokenHash: hashToken(token), expiresAt: { gt: new Date() } },
        include: { staff: true },
      });
      if (session !== null) {
        request.user = userOf(session.staff);
      }
    }
    next();
  };
}

/** Lets these roles pass; with none named, everybody who is signed in. */
export function allow(...roles: Role[]): RequestHandler {
  return (request, _response, next) => {
    const { role } = currentUser(request);
    if (roles.length > 0 && !roles.includes(role)) throw new HttpError(403, `a ${role} may not do this`);
    next();
  };
}

export function currentUser(request: Request): User {
  if (request.user === undefined) throw new HttpError(401, 'sign in first');
  return request.user;
}

function tryReadToken(request: Request): string | undefined {
  for (const part of request.headers.cookie?.split(';') ?? []) {
    const [name, value] = part.trim().split('=', 2);
    if (name === COOKIE && value) return value;
  }
  return undefined;
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
