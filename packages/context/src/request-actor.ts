import type { Actor } from '@indelible/core';
import { readField } from './request-reading.js';

/** An actor as an application has it at hand: a user object, or just an id. */
export interface RequestActor {
  /** @default 'user' */
  readonly type?: Actor['type'];
  readonly id: string | number | bigint;
  readonly email?: string | null;
  readonly role?: string | null;
  readonly onBehalfOf?: RequestActor;
}

const TYPES: ReadonlySet<unknown> = new Set<Actor['type']>([
  'user',
  'service',
  'system',
  'api_key',
  'anonymous',
]);
// Passport and most user rows, JWT claims, session stores, Mongo documents, basic authentication.
const ID_FIELDS = ['id', 'sub', 'userId', 'user_id', 'uid', '_id', 'user', 'username'] as const;

/** Somebody who is not signed in. */
export const ANONYMOUS: Actor = Object.freeze({ type: 'anonymous', id: 'anonymous' });

/**
 * The actor in a user object of any usual shape: `id` (or `sub`, `userId`, `uid`, `_id`, `user`, `username`), `email`,
 * `role` (or the names in `roles`). Nothing else of the object is read. A bare string or number is an id.
 *
 * @returns undefined where there is no usable id
 */
export function toActor(user: unknown, depth = 0): Actor | undefined {
  if (typeof user !== 'object' || user === null) {
    const id = idText(user);
    return id === undefined ? undefined : { type: 'user', id };
  }
  const id = ID_FIELDS.map((name) => idText(readField(user, name))).find((text) => text !== undefined);
  if (id === undefined) {
    // express-oauth2-jwt-bearer keeps the claims one level down.
    const claims = readField(user, 'payload');
    return depth === 0 && typeof claims === 'object' ? toActor(claims, 1) : undefined;
  }
  const type = readField(user, 'type');
  const email = text(readField(user, 'email'));
  const role = roleText(user);
  const behalf = readField(user, 'onBehalfOf');
  const onBehalfOf = behalf === undefined || depth > 3 ? undefined : toActor(behalf, depth + 1);
  return {
    type: TYPES.has(type) ? (type as Actor['type']) : 'user',
    id,
    ...(email === undefined ? undefined : { email }),
    ...(role === undefined ? undefined : { role }),
    ...(onBehalfOf === undefined ? undefined : { onBehalfOf }),
  };
}

/** The user that authentication left on a request: `req.user`, `req.auth`, `req.session.user` or `req.session.userId`. */
export function readUser(req: object): Actor | undefined {
  const { auth, session, user } = req as { readonly [K in 'auth' | 'session' | 'user']?: unknown };
  return (
    toActor(user) ??
    toActor(auth) ??
    (typeof session === 'object' && session !== null
      ? (toActor(readField(session, 'user')) ?? toActor(readField(session, 'userId')))
      : undefined)
  );
}

function idText(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object' || value === null) return undefined;
  // Mongo's ObjectId is an object; its hex form is what everybody knows it by.
  const toHex = readField(value, 'toHexString');
  return typeof toHex === 'function' ? text(toHex.call(value)) : undefined;
}

function roleText(user: object): string | undefined {
  const role = text(readField(user, 'role'));
  if (role !== undefined) return role;
  const roles = readField(user, 'roles');
  if (!Array.isArray(roles)) return undefined;
  const names = roles.slice(0, 16).filter((name) => typeof name === 'string');
  return text(names.join(','));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
