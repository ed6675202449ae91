import type { FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

export interface User {
  readonly id: string;
  readonly role: 'librarian' | 'reader';
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Where `auditContext` finds who acts. */
    user: User | null;
  }
}

/** Stands in for your own authentication. */
const USERS: ReadonlyMap<string, User> = new Map([
  ['token-of-mira', { id: 'mira', role: 'librarian' }],
  ['token-of-tom', { id: 'tom', role: 'reader' }],
]);

export const authentication = fastifyPlugin(async (app) => {
  app.decorateRequest('user', null);
  app.addHook('onRequest', async (request) => {
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    request.user = USERS.get(token) ?? null;
  });
});

export function requireRole(role: User['role']) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.user === null) await reply.code(401).send({ error: 'sign in first' });
    else if (request.user.role !== role) await reply.code(403).send({ error: `only for a ${role}` });
  };
}
