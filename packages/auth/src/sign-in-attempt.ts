import type { AuthExtra } from './auth-logger.js';
import { isIdentityField, isPasswordField } from './extra-details.js';

const MAX_REASON = 200;

/**
 * What is known of an attempt to sign in: the identity that was typed, and why it failed. The passwords of the request go
 * along, so that the logger finds them in any text; it keeps none of them.
 *
 * @param fields what the request's body or query holds
 */
export function attemptDetails(fields: unknown, reason: string | undefined): AuthExtra {
  const typed = Object.entries(typeof fields === 'object' && fields !== null ? fields : {});
  const identity = typed.find(([name, value]) => isIdentityField(name) && isText(value))?.[1];
  const passwords = typed.filter(([name]) => isPasswordField(name));
  const said = isText(identity) ? reason?.replaceAll(identity, '[identity]') : reason;
  return {
    ...Object.fromEntries(passwords),
    ...(isText(identity) ? { identity } : undefined),
    ...(said === undefined || said === '' ? undefined : { reason: said.slice(0, MAX_REASON) }),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
