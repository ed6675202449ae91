import { ANONYMOUS, toActor } from '@indelible/context';
import type { AuthEventType } from './auth-event-type.js';
import {
  type AuthExtra,
  type AuthLoggerOptions,
  createAuthLogger,
  type LogAuthEvent,
} from './auth-logger.js';
import {
  type BetterAuthCall,
  failureOf,
  objectOf,
  requestOf,
  signedIn,
  textOf,
} from './better-auth-context.js';
import { endpointRule } from './better-auth-rules.js';
import { attemptDetails } from './sign-in-attempt.js';

type RowHook = (row: object, call: object | null) => Promise<void>;

/** A plugin of better-auth, by its structure. */
export interface BetterAuthAuditPlugin {
  readonly id: 'indelible';
  readonly init: () => {
    readonly options: {
      readonly databaseHooks: {
        readonly user: {
          readonly create: { readonly after: RowHook };
          readonly update: { readonly after: RowHook };
          readonly delete: { readonly after: RowHook };
        };
        readonly session: {
          readonly create: { readonly after: RowHook };
          readonly delete: { readonly after: RowHook };
        };
        readonly account: {
          readonly create: { readonly after: RowHook };
          readonly delete: { readonly after: RowHook };
        };
        readonly verification: { readonly delete: { readonly after: RowHook } };
      };
    };
  };
  readonly hooks: {
    readonly after: {
      readonly matcher: () => boolean;
      readonly handler: (call: object) => Promise<{ response: undefined; headers: undefined }>;
    }[];
  };
}

/** What is known of one call while it lasts. */
interface CallNotes {
  readonly sessions: Set<unknown>;
  readonly users: Set<unknown>;
  /** Whose token was used up. */
  tokenOf?: string;
}

/**
 * A plugin for better-auth that records sign-ins, failed ones, sign-outs, sign-ups, password resets, revoked sessions and so
 * on. Put it last, so that it sees what the others make of a call: a second factor that is still to come, say.
 *
 * @example
 * const auth = betterAuth({ plugins: [twoFactor(), auditBetterAuth()] });
 */
export function auditBetterAuth(options: AuthLoggerOptions = {}): BetterAuthAuditPlugin {
  const recorder = new BetterAuthRecorder(createAuthLogger(options));
  const hook =
    (record: (row: object, call: BetterAuthCall) => Promise<unknown>): RowHook =>
    async (row, call) => {
      await record(row, call ?? {});
    };
  return {
    id: 'indelible',
    init: () => ({
      options: {
        databaseHooks: {
          user: {
            create: { after: hook((row, call) => recorder.userCreated(row, call)) },
            update: { after: hook((row, call) => recorder.userUpdated(row, call)) },
            delete: {
              after: hook((row, call) => recorder.about('account_deleted', textOf(row, 'id'), call)),
            },
          },
          session: {
            create: { after: hook((row, call) => recorder.sessionCreated(row, call)) },
            delete: { after: hook((row, call) => recorder.sessionDeleted(row, call)) },
          },
          account: {
            create: { after: hook((row, call) => recorder.accountCreated(row, call)) },
            delete: { after: hook((row, call) => recorder.accountDeleted(row, call)) },
          },
          verification: { delete: { after: hook((row, call) => recorder.tokenUsed(row, call)) } },
        },
      },
    }),
    hooks: {
      after: [
        {
          matcher: () => true,
          handler: async (call) => {
            await recorder.called(call);
            return { response: undefined, headers: undefined };
          },
        },
      ],
    },
  };
}

class BetterAuthRecorder {
  readonly #notes = new WeakMap<object, CallNotes>();

  constructor(private readonly log: LogAuthEvent) {}

  async userCreated(row: object, call: BetterAuthCall): Promise<void> {
    const id = textOf(row, 'id');
    this.#notesOf(call)?.users.add(id);
    await this.about('account_created', id, call, { method: pathOf(call) });
  }

  async userUpdated(row: object, call: BetterAuthCall): Promise<void> {
    if (!pathOf(call).startsWith('/two-factor/')) return;
    const enabled: unknown = Reflect.get(row, 'twoFactorEnabled');
    if (typeof enabled !== 'boolean') return;
    await this.about(enabled ? 'mfa_enabled' : 'mfa_disabled', textOf(row, 'id'), call);
  }

  /** The end of the call tells whether it was a sign-in; what no call made is a session and nothing more. */
  async sessionCreated(row: object, call: BetterAuthCall): Promise<void> {
    const notes = this.#notesOf(call);
    if (notes === undefined) await this.about('session_created', textOf(row, 'userId'), call);
    else notes.sessions.add(textOf(row, 'id'));
  }

  async sessionDeleted(row: object, call: BetterAuthCall): Promise<void> {
    const id = textOf(row, 'id');
    // One that this very call made: a second factor is still to come.
    if (this.#notesOf(call)?.sessions.delete(id)) return;
    const impersonator = textOf(row, 'impersonatedBy');
    const userId = textOf(row, 'userId');
    if (impersonator !== undefined && userId !== undefined) {
      await this.log('impersonation_ended', impersonator, requestOf(call), { targetUserId: userId });
      return;
    }
    const path = pathOf(call);
    const type =
      path === '/sign-out' ? 'logout' : path === '/get-session' ? 'session_expired' : 'session_revoked';
    await this.about(type, userId, call, type === 'session_revoked' ? { method: path } : {});
  }

  async accountCreated(row: object, call: BetterAuthCall): Promise<void> {
    const provider = textOf(row, 'providerId');
    const userId = textOf(row, 'userId');
    if (provider === 'credential' || this.#notesOf(call)?.users.has(userId)) return;
    await this.about('identity_linked', userId, call, { method: provider });
  }

  async accountDeleted(row: object, call: BetterAuthCall): Promise<void> {
    if (pathOf(call) !== '/unlink-account') return;
    await this.about('identity_unlinked', textOf(row, 'userId'), call, { method: textOf(row, 'providerId') });
  }

  /** The token of a reset says whose it is, and nothing else does. */
  async tokenUsed(row: object, call: BetterAuthCall): Promise<void> {
    const notes = this.#notesOf(call);
    const userId = textOf(row, 'value');
    if (notes !== undefined && userId !== undefined && pathOf(call) === '/reset-password')
      notes.tokenOf = userId;
  }

  async called(call: BetterAuthCall): Promise<void> {
    const path = pathOf(call);
    const rule = endpointRule(path);
    const failure = failureOf(call);
    const made = call.context?.newSession;
    const isNew = this.#notesOf(call)?.sessions.has(made?.session?.id) ?? false;
    // Whoever was signed in already has another session now, and that is all.
    const isRenewed =
      rule.renewsSession === true || textOf(signedIn(call), 'id') === textOf(made?.user, 'id');
    if (isNew && !isRenewed) {
      await this.log('login', toActor(made?.user), requestOf(call), { method: path });
    }
    if (isChallenge(call)) await this.#attempt('mfa_challenged', call, undefined);
    if (failure !== undefined) {
      if (rule.failed !== undefined) await this.#attempt(rule.failed, call, failure);
    } else if (rule.succeeded !== undefined) {
      await this.#attempt(rule.succeeded, call, undefined);
    }
  }

  /** Something that happens to a user: by himself, or by whoever is signed in. */
  async about(
    type: AuthEventType,
    userId: string | undefined,
    call: BetterAuthCall,
    extra: AuthExtra = {},
  ): Promise<void> {
    const actor = toActor(signedIn(call));
    const other = actor !== undefined && userId !== undefined && actor.id !== userId;
    const who = other ? { actor, targetUserId: userId } : actor === undefined ? {} : { actor };
    await this.log(type, userId, requestOf(call), { ...who, ...extra });
  }

  async #attempt(type: AuthEventType, call: BetterAuthCall, failure: string | undefined): Promise<void> {
    const { targetsOther = false } = endpointRule(pathOf(call));
    const details = {
      ...attemptDetails(call.body, failure),
      ...(failure === undefined ? {} : { outcome: 'failure' as const }),
      method: pathOf(call),
    };
    const actor = toActor(signedIn(call));
    const target = targetsOther ? textOf(call.body, 'userId') : undefined;
    if (target !== undefined) {
      // Who impersonates acts on behalf of the target, which the logger says by itself.
      const who =
        actor !== undefined && type.startsWith('impersonation_') ? {} : { actor: actor ?? ANONYMOUS };
      await this.log(type, actor, requestOf(call), { ...details, ...who, targetUserId: target });
      return;
    }
    const known = actor ?? toActor(call.context?.newSession?.user) ?? toActor(this.#notesOf(call)?.tokenOf);
    await this.log(
      type,
      known,
      requestOf(call),
      known === undefined ? { ...details, actor: ANONYMOUS } : details,
    );
  }

  /** undefined outside of any call. */
  #notesOf(call: BetterAuthCall): CallNotes | undefined {
    const key = objectOf(call.context);
    if (key === undefined) return undefined;
    const notes = this.#notes.get(key) ?? { sessions: new Set(), users: new Set() };
    this.#notes.set(key, notes);
    return notes;
  }
}

function pathOf(call: BetterAuthCall): string {
  return typeof call.path === 'string' ? call.path : '';
}

/** The password was right, and the second factor is asked for. */
function isChallenge(call: BetterAuthCall): boolean {
  const returned = objectOf(call.context?.returned);
  return returned !== undefined && Reflect.get(returned, 'twoFactorRedirect') === true;
}
