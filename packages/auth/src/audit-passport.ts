import { toActor } from '@indelible/context';
import { type Audit, AuditError, getAudit } from '@indelible/core';
import type { AuthEventType } from './auth-event-type.js';
import {
  type AuthExtra,
  type AuthLoggerOptions,
  createAuthLogger,
  type LogAuthEvent,
} from './auth-logger.js';
import { attemptDetails } from './sign-in-attempt.js';

export interface PassportOptions extends AuthLoggerOptions {
  /**
   * Strategies that are asked with every request, and that nobody signs in by: their successes and failures are the business
   * of request events.
   *
   * @default ['jwt', 'bearer', 'anonymous', 'basic', 'digest', 'headerapikey', 'localapikey', 'http-bearer']
   */
  readonly perRequest?: readonly string[];
}

type Callback = (error?: unknown, ...rest: unknown[]) => unknown;
type Middleware = (req: PassportRequest, res: unknown, next: Callback) => unknown;

/** What Passport puts on a strategy for one request. */
interface Strategy {
  success(user: unknown, info?: unknown): unknown;
  fail(challenge?: unknown, status?: unknown): unknown;
  error(error: unknown): unknown;
  authenticate(req: object, options?: AuthenticateOptions): unknown;
}

interface AuthenticateOptions {
  /** `passport.authorize()`: the account is linked to whoever is signed in. */
  readonly assignProperty?: string;
}

/** What is used of Passport, 0.6 or 0.7. */
interface Passport {
  use: (...args: unknown[]) => unknown;
  authenticate: (...args: unknown[]) => unknown;
}

/** The request, once Passport has seen it. */
interface PassportRequest {
  logOut?: (...args: unknown[]) => unknown;
  logout?: (...args: unknown[]) => unknown;
  readonly _userProperty?: unknown;
  readonly body?: unknown;
  readonly query?: unknown;
}

const PER_REQUEST = [
  'jwt',
  'bearer',
  'http-bearer',
  'anonymous',
  'basic',
  'digest',
  'headerapikey',
  'localapikey',
] as const;
const FOLLOWED = Symbol('indelible.passport');

/**
 * Records what Passport does: `login` and `login_failed` of every strategy, `identity_linked` of `passport.authorize()`, and
 * `logout`. Each is durable before the request goes on; what Passport answers stays as it was.
 *
 * @param passport before any strategy is given to it
 * @returns the same passport
 * @throws TypeError for what is no Passport. One of its strategies that was there before is refused when it is first used.
 * @example
 * auditPassport(passport);
 * passport.use(new LocalStrategy(verify));
 */
export function auditPassport<P extends object>(passport: P, options: PassportOptions = {}): P {
  if (!isPassport(passport)) throw new TypeError('[indelible/auth] auditPassport() takes a passport');
  const { perRequest = PER_REQUEST, ...logger } = options;
  const recorder = new PassportRecorder(logger, new Set(perRequest));
  const known = new Set<unknown>(['session']);
  const { use, authenticate } = passport as Passport;
  return Object.assign(passport, {
    use(this: unknown, ...args: unknown[]) {
      const strategy = args.at(-1);
      const name = args.length > 1 ? args[0] : nameOf(strategy);
      known.add(name);
      return use.call(this, ...args.slice(0, -1), recorder.follow(strategy, String(name)));
    },
    authenticate(this: unknown, layers: unknown, ...args: unknown[]) {
      const followed = [layers].flat().map((layer: unknown) => {
        if (typeof layer !== 'string') return recorder.follow(layer, nameOf(layer));
        if (known.has(layer)) return layer;
        throw new TypeError(
          `[indelible/auth] Passport has no strategy \`${layer}\` that is audited. Call auditPassport() before passport.use().`,
        );
      });
      const middleware = authenticate.call(this, Array.isArray(layers) ? followed : followed[0], ...args);
      return typeof middleware === 'function'
        ? recorder.followRequests(middleware as Middleware)
        : middleware;
    },
  });
}

class PassportRecorder {
  readonly #log: LogAuthEvent;
  readonly #audit: () => Audit;

  constructor(
    options: AuthLoggerOptions,
    private readonly perRequest: ReadonlySet<string>,
  ) {
    this.#log = createAuthLogger(options);
    this.#audit = () => options.audit ?? getAudit();
  }

  /** The same strategy, whose answers are recorded before Passport hears of them. The strategy itself is left as it is. */
  follow(strategy: unknown, name: string): unknown {
    if (!isStrategy(strategy) || FOLLOWED in strategy || this.perRequest.has(name)) return strategy;
    const recorder = this;
    return Object.create(strategy, {
      [FOLLOWED]: { value: true },
      authenticate: {
        writable: true,
        configurable: true,
        value: function authenticate(this: Strategy, req: object, options?: AuthenticateOptions) {
          recorder.#followAnswers(this, name, req, options);
          return strategy.authenticate.call(this, req, options);
        },
      },
    });
  }

  /** Where Passport hands a request on it has put `logOut` on it. */
  followRequests(middleware: Middleware): Middleware {
    return (req, res, next) =>
      middleware(req, res, (...passed) => {
        this.#followLogout(req);
        return next(...passed);
      });
  }

  #followAnswers(
    strategy: Strategy,
    name: string,
    req: object,
    options: AuthenticateOptions | undefined,
  ): void {
    const { success, fail, error } = strategy;
    const recorded = (type: AuthEventType, user: unknown, extra: AuthExtra, answer: () => unknown) => {
      void this.#record(type, user, req, { method: name, ...extra })
        .then(answer, error)
        .catch(error);
    };
    const { body, query } = req as PassportRequest;
    const failed = (reason: string | undefined) => {
      const details = attemptDetails(body, reason);
      return 'identity' in details ? details : { ...attemptDetails(query, reason), ...details };
    };
    strategy.success = (user, info) => {
      const type = options?.assignProperty === undefined ? 'login' : 'identity_linked';
      const who = type === 'login' ? user : userOf(req);
      recorded(type, who, {}, () => success.call(strategy, user, info));
    };
    strategy.fail = (challenge, status) =>
      recorded('login_failed', null, failed(textOf(challenge)), () => fail.call(strategy, challenge, status));
    strategy.error = (cause) =>
      recorded('login_failed', null, failed('error'), () => error.call(strategy, cause));
  }

  #followLogout(req: PassportRequest): void {
    const { logOut } = req;
    if (typeof logOut !== 'function' || FOLLOWED in logOut) return;
    const followed = (...args: unknown[]): unknown => {
      const user = userOf(req);
      const done = args.at(-1);
      if (typeof done !== 'function' || user === undefined || user === null) return logOut.apply(req, args);
      const after: Callback = (...answer) => {
        if (answer[0]) return done(...answer);
        return this.#record('logout', user, req, {}).then(
          () => done(...answer),
          (error: unknown) => done(error),
        );
      };
      return logOut.apply(req, [...args.slice(0, -1), after]);
    };
    Object.defineProperty(followed, FOLLOWED, { value: true });
    req.logout = followed;
    req.logOut = followed;
  }

  /** A user whom nobody can name is no reason to lose the event. */
  async #record(type: AuthEventType, user: unknown, req: object, extra: AuthExtra): Promise<unknown> {
    const actor = toActor(user);
    if (actor === undefined && user !== null) {
      this.#audit().reportError(
        new AuditError(
          'AUDIT_ACTOR_FAILED',
          'auth',
          `the user of \`${type}\` has no id that can be recorded`,
        ),
      );
    }
    return this.#log(type, actor, req, extra);
  }
}

function userOf(req: object): unknown {
  const property = (req as PassportRequest)._userProperty;
  return Reflect.get(req, typeof property === 'string' ? property : 'user');
}

function textOf(challenge: unknown): string | undefined {
  if (typeof challenge === 'string') return challenge;
  const message =
    typeof challenge === 'object' && challenge !== null ? Reflect.get(challenge, 'message') : undefined;
  return typeof message === 'string' ? message : undefined;
}

function nameOf(strategy: unknown): string {
  const name = typeof strategy === 'object' && strategy !== null ? Reflect.get(strategy, 'name') : undefined;
  return typeof name === 'string' ? name : 'unnamed';
}

function isStrategy(value: unknown): value is Strategy {
  return typeof value === 'object' && value !== null && 'authenticate' in value;
}

function isPassport(value: unknown): value is Passport {
  return (
    typeof value === 'object' &&
    value !== null &&
    'use' in value &&
    typeof value.use === 'function' &&
    'authenticate' in value &&
    typeof value.authenticate === 'function'
  );
}
