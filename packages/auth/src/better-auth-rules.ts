import type { AuthEventType } from './auth-event-type.js';

/** What an endpoint of better-auth means beside the sessions, users and accounts that it writes. */
export interface EndpointRule {
  /** @default nothing: what it writes says it */
  readonly succeeded?: AuthEventType;
  /** @default nothing */
  readonly failed?: AuthEventType;
  /** The user whom it happens to stands in the body as `userId`; who acts is signed in. @default false */
  readonly targetsOther?: boolean;
  /** A new session is no sign-in: it takes the place of another one. @default false */
  readonly renewsSession?: boolean;
}

const SIGN_IN: EndpointRule = { failed: 'login_failed' };
const RESET_REQUESTED: EndpointRule = { succeeded: 'password_reset_requested' };
const RESET: EndpointRule = { succeeded: 'password_reset', failed: 'password_reset' };
const VERIFIED: EndpointRule = { succeeded: 'mfa_verified', failed: 'mfa_failed' };
const EMAIL_VERIFIED: EndpointRule = { succeeded: 'email_verified', failed: 'email_verified' };
const NONE: EndpointRule = {};

/** By the path's pattern. Of better-auth and its own plugins in 1.3 to 1.7; names that went along the way stand here too. */
const RULES: Readonly<Record<string, EndpointRule>> = {
  '/callback/:id': SIGN_IN,
  '/oauth2/callback/:providerId': SIGN_IN,
  '/magic-link/verify': SIGN_IN,
  '/one-tap/callback': SIGN_IN,
  '/siwe/verify': SIGN_IN,
  '/phone-number/verify': SIGN_IN,
  '/passkey/verify-authentication': SIGN_IN,
  '/one-time-token/verify': SIGN_IN,
  '/sign-in/magic-link': { succeeded: 'magic_link_requested' },
  '/sign-up/email': { failed: 'account_created' },
  '/forget-password': RESET_REQUESTED,
  '/request-password-reset': RESET_REQUESTED,
  '/forget-password/email-otp': RESET_REQUESTED,
  '/email-otp/request-password-reset': RESET_REQUESTED,
  '/phone-number/request-password-reset': RESET_REQUESTED,
  '/reset-password': RESET,
  '/email-otp/reset-password': RESET,
  '/phone-number/reset-password': RESET,
  '/change-password': { succeeded: 'password_changed', failed: 'password_changed', renewsSession: true },
  '/set-password': { succeeded: 'password_changed', renewsSession: true },
  '/verify-email': EMAIL_VERIFIED,
  '/email-otp/verify-email': EMAIL_VERIFIED,
  '/two-factor/verify-totp': VERIFIED,
  '/two-factor/verify-otp': VERIFIED,
  '/two-factor/verify-backup-code': { succeeded: 'mfa_recovery_used', failed: 'mfa_failed' },
  '/two-factor/generate-backup-codes': { succeeded: 'mfa_recovery_regenerated' },
  '/two-factor/enable': { failed: 'mfa_enabled', renewsSession: true },
  '/two-factor/disable': { failed: 'mfa_disabled', renewsSession: true },
  '/admin/set-role': { succeeded: 'role_changed', failed: 'role_changed', targetsOther: true },
  '/admin/ban-user': { succeeded: 'account_disabled', targetsOther: true },
  '/admin/unban-user': { succeeded: 'account_enabled', targetsOther: true },
  '/admin/set-user-password': { succeeded: 'password_reset', targetsOther: true },
  '/admin/impersonate-user': {
    succeeded: 'impersonation_started',
    failed: 'impersonation_started',
    targetsOther: true,
    renewsSession: true,
  },
  '/admin/stop-impersonating': { renewsSession: true },
};

export function endpointRule(path: string): EndpointRule {
  if (Object.hasOwn(RULES, path)) return RULES[path] ?? NONE;
  return path.startsWith('/sign-in/') ? SIGN_IN : NONE;
}
