import type { BuiltInAction, Outcome } from '@indelible/core';

type ShortName<Action> = Action extends `auth.${infer Name}` ? Name : never;

/** The names that `logAuthEvent()` takes: the catalogue's `auth.*` actions without their prefix. */
export type AuthEventType = ShortName<BuiltInAction>;

export type Severity = 'info' | 'warning' | 'critical';

/** What one type of event means where the caller does not say otherwise. */
export interface AuthEventRule {
  readonly outcome: Outcome;
  /**
   * Who acts. `user`: the user who is named. `unproven`: nobody, because the one who is named has not shown to be it yet.
   * `other`: whoever the context says; the user who is named is the one it happens to.
   */
  readonly actor: 'user' | 'unproven' | 'other';
  readonly severity: Severity;
}

const DEFAULT: AuthEventRule = { outcome: 'success', actor: 'user', severity: 'info' };
const NOTABLE: AuthEventRule = { ...DEFAULT, severity: 'warning' };
const FAILED: AuthEventRule = { outcome: 'failure', actor: 'unproven', severity: 'warning' };
const ASKED: AuthEventRule = { ...DEFAULT, actor: 'unproven' };
const TO_ACCOUNT: AuthEventRule = { outcome: 'success', actor: 'other', severity: 'warning' };

const RULES: Partial<Record<AuthEventType, AuthEventRule>> = {
  login_failed: FAILED,
  sso_login_failed: FAILED,
  // The first factor was right, which is what makes a wrong second one worth a look.
  mfa_failed: { outcome: 'failure', actor: 'user', severity: 'warning' },
  login_challenged: ASKED,
  mfa_challenged: ASKED,
  password_reset_requested: ASKED,
  magic_link_requested: ASKED,
  mfa_disabled: NOTABLE,
  mfa_recovery_used: NOTABLE,
  email_changed: NOTABLE,
  role_changed: NOTABLE,
  permission_granted: NOTABLE,
  permission_revoked: NOTABLE,
  impersonation_started: { ...DEFAULT, severity: 'critical' },
  impersonation_ended: NOTABLE,
  session_expired: { outcome: 'success', actor: 'other', severity: 'info' },
  account_locked: TO_ACCOUNT,
  account_unlocked: TO_ACCOUNT,
  account_disabled: TO_ACCOUNT,
  account_enabled: TO_ACCOUNT,
  account_deleted: TO_ACCOUNT,
};

export function authEventRule(type: AuthEventType): AuthEventRule {
  return RULES[type] ?? DEFAULT;
}
