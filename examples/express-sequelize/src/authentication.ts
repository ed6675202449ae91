import type { RequestHandler } from 'express';

export interface User {
  readonly id: string;
  readonly role: 'clerk' | 'customer';
}

declare global {
  namespace Express {
    interface Request {
      /** Where `auditContext()` finds who acts. */
      user?: User;
    }
  }
}

/** Stands in for your own authentication. */
const USERS: ReadonlyMap<string, User> = new Map([
  ['token-of-rosa', { id: 'rosa', role: 'clerk' }],
  ['token-of-karl', { id: 'karl', role: 'customer' }],
]);

export const authenticate: RequestHandler = (request, _response, next) => {
  const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const user = USERS.get(token);
  if (user !== undefined) request.user = user;
  next();
};

export function requireRole(role: User['role']): RequestHandler {
  return ({ user }, response, next) => {
    if (user?.role === role) next();
    else response.status(user === undefined ? 401 : 403).json({ error: `only for a ${role}` });
  };
}
