import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Actor,
  type AmbientContext,
  AuditError,
  type EventContext,
  type EventInput,
  type Recorded,
  type RecordOptions,
} from '@indelible/core';
import { isThenable, runInScope, runScope, tryGetScope } from './audit-context.js';
import {
  type AuditScope,
  type ContextPatch,
  checkTenant,
  definedOnly,
  isWithin,
  patchOnly,
  WorkScope,
} from './audit-scope.js';
import { ANONYMOUS, type RequestActor, toActor } from './request-actor.js';
import type { RequestAudit } from './request-audit.js';
import type { RequestEnd } from './request-event.js';
import { requestIdFrom } from './request-id.js';
import { readRequestOrigin, readRequestRoute } from './request-reading.js';
import type { RequestSettings } from './request-settings.js';

// Shared between copies of this package. A hidden property of the request and no WeakMap: what a map of all requests costs the
// garbage collector was measured as more than all the rest of a context.
const KEY = Symbol.for('indelible.request.v1');

/**
 * The scope of one HTTP request, and what the framework's request shows as `audit`.
 *
 * It ends when the application has ended the response and the response has left or its connection is gone. A client that
 * hangs up does not end it: the handler goes on, and what it then writes is still the work of that request.
 *
 * Everything but the request's id is read when an event asks for it: most requests of most applications record nothing.
 */
export class RequestScope implements AuditScope, RequestAudit {
  readonly outer: AuditScope | undefined;
  readonly requestId: string;
  /** The scope of the first middleware on this request: two of them still make one event. */
  readonly first: RequestScope;
  readonly settings: RequestSettings;
  eventMade = false;
  // Not `#private`: one of these is made for every request, and these fields cost it less.
  private readonly req: object;
  private readonly res: ServerResponse;
  private startedAt = 0;
  private readonly isLate: boolean;
  private isSent = false;
  private listeners: (() => void)[] | undefined = undefined;
  private own: Partial<AmbientContext> | undefined = undefined;
  private origin: EventContext | undefined = undefined;

  /**
   * @param req the framework's request, whose `user`, `ip` and `route` are read
   * @param res Node's response
   * @param incomingId the value of the header that carries the request's id
   */
  constructor(req: object, res: ServerResponse, settings: RequestSettings, incomingId: unknown) {
    const known = tryGetRequestScope(req);
    const here = tryGetScope();
    // A body parser between two middlewares may have lost the first one's scope.
    this.outer = known === undefined || isWithin(here, known) ? here : known;
    this.requestId = known === undefined ? requestIdFrom(incomingId) : known.requestId;
    this.first = known === undefined ? this : known.first;
    this.settings = settings;
    this.req = req;
    this.res = res;
    // Once its socket is gone, a response that is ended looks finished to Node.
    this.isLate = res.closed && !res.writableFinished;
    Object.defineProperty(req, KEY, { value: this, configurable: true });
  }

  get ended(): boolean {
    const res = this.res;
    return res.writableEnded && (this.isSent || res.writableFinished || res.destroyed);
  }

  context(): AmbientContext {
    this.origin ??= this.readOf(readRequestOrigin);
    const context: { -readonly [K in keyof AmbientContext]: AmbientContext[K] } = {
      ...this.outer?.context(),
      ...this.origin,
      requestId: this.requestId,
      ...this.readOf(readRequestRoute),
      actor: () => this.actorOf(),
    };
    if (this.own !== undefined) Object.assign(context, this.own);
    const tenant = this.tenantOf();
    if (tenant !== undefined) {
      // Also over one that was set before anybody could tell.
      context.tenant = tenant;
      context.fixedTenant = tenant;
    }
    return context;
  }

  update(patch: ContextPatch): void {
    checkTenant(this, patch);
    this.own = { ...this.own, ...patchOnly(definedOnly(patch)) };
  }

  setActor(user: RequestActor): void {
    const actor = toActor(user);
    if (actor === undefined) throw new TypeError('setActor() takes an actor with an id');
    this.update({ actor });
  }

  record(input: EventInput, options?: RecordOptions): Promise<Recorded> {
    return this.run(() => this.settings.audit().record(input, options));
  }

  /** Starts to measure how long the request takes, unless that is being done: most contexts do without. */
  startClock(): void {
    if (this.startedAt === 0) this.startedAt = performance.now();
  }

  /** The response is complete. For responses that no socket carries, which never look finished. */
  sent(): void {
    this.isSent = true;
  }

  /** Also where the response is over and the handler goes on. */
  onEnd(listener: () => void): void {
    if (this.res.closed) {
      process.nextTick(listener);
      return;
    }
    if (this.listeners === undefined) {
      const listeners: (() => void)[] = [];
      this.listeners = listeners;
      this.res.once('close', () => {
        for (const each of listeners.splice(0)) each();
      });
    }
    this.listeners.push(listener);
  }

  /** How the request ended; asked when the response is closed. */
  end(): RequestEnd {
    const res = this.res;
    return {
      status: res.headersSent ? res.statusCode : undefined,
      aborted: !this.isSent && (this.isLate || !res.writableFinished),
      durationMs: Math.round((performance.now() - this.startedAt) * 1_000) / 1_000,
    };
  }

  /** Runs `fn` in this request's context, also when the response is over and from wherever it is called. */
  run<T>(fn: () => PromiseLike<T>): Promise<T>;
  run<T>(fn: () => T): T;
  run<T>(fn: () => T | PromiseLike<T>): T | PromiseLike<T> {
    if (isWithin(tryGetScope(), this)) return fn();
    return runScope(new WorkScope(this, this.context()), fn);
  }

  /** Records without making anybody wait: what fails is reported. */
  recordLater(input: EventInput): void {
    try {
      this.settings.audit().recordLater(input, this.context());
    } catch (error) {
      this.report('the request', error);
    }
  }

  /** Reports what a function of the application's threw. The event goes on without its answer. */
  report(what: string, cause: unknown): void {
    try {
      this.settings.audit().reportError(failed(what, cause));
    } catch {
      // There is no audit to report to; core has said so when it could not make one.
    }
  }

  /** Runs `fn` in this scope where something has left it; once the request is over there is nothing to go back to. */
  enter<T>(fn: () => T): T {
    return isWithin(tryGetScope(), this) || this.ended ? fn() : runInScope(this, fn);
  }

  /**
   * Keeps the listeners of a request with a body in its scope. Node emits the body's events in the context of the
   * connection, and a parser that calls next() from there would lose the request.
   */
  followBody(req: IncomingMessage): void {
    const emit = req.emit;
    req.emit = (...args: Parameters<typeof emit>) => this.enter(() => emit.apply(req, args));
  }

  /** A request that throws when it is read costs its events that part of their context, not their existence. */
  private readOf(read: (req: object) => EventContext): EventContext {
    try {
      return read(this.req);
    } catch (error) {
      this.report('reading the request', error);
      return {};
    }
  }

  /** What it throws core reports, and marks the event with `actor-failed`. */
  private actorOf(): Actor | Promise<Actor> {
    const found = this.settings.actor(this.req);
    return isThenable(found) ? Promise.resolve(found).then(checkedActor) : checkedActor(found);
  }

  private tenantOf(): string | undefined {
    if (this.settings.tenant === undefined) return undefined;
    try {
      const tenant = this.settings.tenant(this.req);
      if (tenant === undefined || tenant === null || tenant === '') return undefined;
      if (typeof tenant === 'string') return tenant;
      throw new TypeError('the tenant is a string');
    } catch (error) {
      this.report('`tenant`', error);
      return undefined;
    }
  }
}

function checkedActor(user: unknown): Actor {
  if (user === undefined || user === null) return ANONYMOUS;
  const actor = toActor(user);
  if (actor === undefined) throw new TypeError('the actor has no usable id');
  return actor;
}

/** The innermost scope that a framework package has opened for this request, if any. */
export function tryGetRequestScope(req: unknown): RequestScope | undefined {
  return typeof req === 'object' && req !== null
    ? (req as { readonly [KEY]?: RequestScope })[KEY]
    : undefined;
}

function failed(what: string, cause: unknown): AuditError {
  return new AuditError('AUDIT_CONTEXT_FAILED', 'context', `${what} failed while an event was recorded`, {
    cause,
  });
}
