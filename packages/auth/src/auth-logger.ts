import { ANONYMOUS, type RequestActor, readUser, toActor, tryGetRequestScope } from '@indelible/context';
import {
  type Actor,
  type Audit,
  AuditError,
  BUILT_IN_ACTIONS,
  type EventInput,
  getAudit,
  type Outcome,
  type Recorded,
  type Resource,
} from '@indelible/core';
import { type IdentityMode, identityKeeper } from './attempted-identity.js';
import { type AuthEventRule, type AuthEventType, authEventRule, type Severity } from './auth-event-type.js';
import { safeDetails } from './extra-details.js';
import { requestContext } from './request-context.js';

/** Further facts about an event. Whatever else stands in it becomes part of the details, without passwords. */
export interface AuthExtra {
  /** Why: `wrong_password`, `too_many_attempts`. */
  readonly reason?: string;
  /** @default what the type says: `login_failed` is a `failure` */
  readonly outcome?: Outcome;
  /** @default what the type says */
  readonly severity?: Severity;
  /** Who acts, where it is neither the user who is named nor the one of the context. */
  readonly actor?: RequestActor;
  /** Whom it happens to, where that is somebody else: the impersonated user, the user who gets a role. */
  readonly targetUserId?: string | number | bigint;
  readonly tenant?: string;
  readonly [detail: string]: unknown;
}

export interface AuthLoggerOptions {
  /** @default getAudit(), when an event is recorded */
  readonly audit?: Audit;
  /** How the identity of a failed sign-in is kept. @default 'mask' */
  readonly identity?: IdentityMode;
  /** The secret for `identity: 'hmac'`. @default AUDIT_HMAC_KEY */
  readonly hmacKey?: string | Uint8Array;
}

/** A user's id, or the user with `id`, `email` and `role`. */
export type AuthUser = string | number | bigint | RequestActor | null | undefined;

/**
 * @param type `login`, `login_failed`, `role_changed`, …
 * @param userId the user it is about; null or undefined where no account is known
 * @param req an Express, Fastify, Node or Web request, or undefined: then the context in force is used
 * @throws TypeError for an unknown type or arguments of the wrong form
 * @throws AuditError as `audit.record()` does
 */
export type LogAuthEvent = (
  type: AuthEventType,
  userId: AuthUser,
  req?: object | null,
  extra?: AuthExtra,
) => Promise<Recorded>;

/**
 * @throws AuditError `AUDIT_KEY_MISSING` for `identity: 'hmac'` without a secret
 * @example
 * const logAuthEvent = createAuthLogger({ identity: 'hmac' });
 */
export function createAuthLogger(options: AuthLoggerOptions = {}): LogAuthEvent {
  const keepIdentity = identityKeeper(
    options.identity ?? 'mask',
    options.hmacKey ?? (process.env.AUDIT_HMAC_KEY || undefined),
  );
  return async (type, userId, req, extra = {}) => {
    check(type, userId, req, extra);
    const audit = options.audit ?? getAudit();
    const user = toActor(userId);
    const known = req === undefined || req === null ? undefined : readKnown(audit, req, user);
    const input = authEvent(type, known ?? user, extra, keepIdentity);
    if (req === undefined || req === null) return audit.record(input);
    const scope = tryGetRequestScope(req);
    if (scope !== undefined) return scope.run(() => audit.record(input));
    return audit.record({ ...input, context: { ...readContext(audit, req), ...input.context } });
  };
}

const byDefault = createAuthLogger();

/**
 * Records a sign-in, a failed one, a role change and so on, in the default audit, and resolves when it is durable.
 *
 * A password never reaches the log: fields that hold one are dropped. A failed sign-in keeps the attempted identity masked.
 *
 * @example
 * await logAuthEvent('login', user.id, req);
 * await logAuthEvent('login_failed', null, req, { email, reason: 'unknown_user' });
 */
export const logAuthEvent: LogAuthEvent = (...args) => byDefault(...args);

function check(type: unknown, userId: unknown, req: unknown, extra: unknown): void {
  if (typeof type !== 'string' || !Object.hasOwn(BUILT_IN_ACTIONS, `auth.${type}`)) {
    throw new TypeError(`[indelible/auth] there is no event \`${String(type).slice(0, 64)}\``);
  }
  if (userId !== undefined && userId !== null && userId !== '' && toActor(userId) === undefined) {
    throw new TypeError('[indelible/auth] the user is an id or an object with an id');
  }
  if (req !== undefined && req !== null && typeof req !== 'object') {
    throw new TypeError('[indelible/auth] the request is an object');
  }
  if (typeof extra !== 'object' || extra === null) {
    throw new TypeError('[indelible/auth] what is added to an event is an object');
  }
}

function authEvent(
  type: AuthEventType,
  named: Actor | undefined,
  extra: AuthExtra,
  keepIdentity: (identity: string) => string,
): EventInput {
  const rule = authEventRule(type);
  const {
    reason,
    outcome = rule.outcome,
    severity = rule.severity,
    actor,
    targetUserId,
    tenant,
    ...rest
  } = extra;
  const target = targetUserId === undefined ? undefined : toActor(targetUserId);
  if (type.startsWith('impersonation_') && target === undefined) {
    throw new TypeError(
      `[indelible/auth] \`${type}\` needs \`targetUserId\`, so that both identities are on record`,
    );
  }
  // Many call sites have nothing but the address that was typed.
  const attempted = rule.actor === 'unproven' && named?.id.includes('@') ? named.id : undefined;
  const user = attempted === undefined ? named : undefined;
  const acting = toActor(actor) ?? actingUser(type, rule, user, target);
  const about = target ?? user;
  const details = safeDetails(
    { ...rest, ...(attempted === undefined ? undefined : { identity: attempted }), reason },
    // Who is anonymous has not shown to be whom he names either: a sign-up that failed, say.
    rule.actor === 'unproven' || acting?.type === 'anonymous' ? keepIdentity : undefined,
  );
  const { reason: safeReason, ...safe } = details;
  return {
    action: `auth.${type}`,
    outcome,
    details: { ...safe, severity },
    ...(acting === undefined ? undefined : { actor: acting }),
    ...(about === undefined ? undefined : { resource: userResource(about) }),
    ...(typeof safeReason === 'string' ? { reason: safeReason } : undefined),
    ...(tenant === undefined ? undefined : { context: { tenant } }),
  };
}

/** undefined: the actor of the context. */
function actingUser(
  type: AuthEventType,
  rule: AuthEventRule,
  user: Actor | undefined,
  target: Actor | undefined,
): Actor | undefined {
  if (rule.actor === 'unproven') return ANONYMOUS;
  if (rule.actor === 'other') return undefined;
  if (type.startsWith('impersonation_') && user !== undefined && target !== undefined) {
    return { ...user, onBehalfOf: target };
  }
  // `role_changed` about one user alone: he is the one whose role it is, and the context says who changed it.
  const granted = type === 'role_changed' || type.startsWith('permission_');
  return granted && target === undefined ? undefined : user;
}

function userResource(user: Actor): Resource {
  return { type: 'user', id: user.id };
}

/** The request's user where it is the one who is named: it may say the address and the role too. */
function readKnown(audit: Audit, req: object, user: Actor | undefined): Actor | undefined {
  try {
    const signedIn = readUser(req);
    return signedIn !== undefined && signedIn.id === user?.id ? { ...signedIn, ...user } : undefined;
  } catch (error) {
    report(audit, error);
    return undefined;
  }
}

function readContext(audit: Audit, req: object): EventInput['context'] {
  try {
    return requestContext(req);
  } catch (error) {
    report(audit, error);
    return undefined;
  }
}

/** A request that throws when it is read costs the event its request, not its existence. */
function report(audit: Audit, cause: unknown): void {
  audit.reportError(
    new AuditError('AUDIT_CONTEXT_FAILED', 'auth', 'the request could not be read', { cause }),
  );
}
