import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Audit } from '@indelible/core';
import type { RequestActor } from '../request-actor.js';
import type { RequestAudit } from '../request-audit.js';
import type { MaybeActor, RequestOptions } from '../request-settings.js';

/** One request inside a handler, as the suite needs to see it. */
export interface HttpExchange {
  /** The framework's request, as one passes it to `logAuthEvent()`. */
  readonly request: object;
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<Record<string, unknown>>;
  /** The parsed body; for `multipart` its text fields. */
  readonly body: unknown;
  readonly audit: RequestAudit;
  /** Answers with JSON. */
  reply(status: number, body: unknown): void;
  /** Answers with what the stream gives, chunk by chunk. */
  stream(body: Readable): void;
}

export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/patients/:id` */
  readonly path: string;
  /** A router of its own under this prefix; none: at the top. */
  readonly prefix?: string;
  /** How the body is parsed before the handler. `none`: the handler reads the stream. */
  readonly body: 'json' | 'multipart' | 'none';
  /** Recorded by the framework's route helper (`auditAction`), with the route's parameter `id` as the resource's id. */
  readonly action?: { readonly name: string; readonly resourceType: string };
  /** What it throws, or rejects with, goes to the framework's own error handling: 500. */
  readonly handle: (exchange: HttpExchange) => void | Promise<void>;
}

/** An application that the factory builds with its framework. */
export interface HttpPlan {
  readonly audit: Audit;
  readonly routes: readonly HttpRoute[];
  /** The middleware's options but for `audit`. */
  readonly options: Pick<
    RequestOptions<object, object>,
    'record' | 'requestIdHeader' | 'captureBody' | 'tenant'
  > & {
    /** Gets the user that authentication left. */
    readonly actor?: (user: unknown) => MaybeActor | Promise<MaybeActor>;
  };
  /** Whether authentication runs before or after the audit's middleware. */
  readonly authentication: 'before' | 'after';
  /** Authentication: its answer goes where the framework's applications keep their user (`req.user`). */
  readonly authenticate: (raw: IncomingMessage) => Promise<RequestActor | undefined>;
  /** The framework's own setting. */
  readonly trustProxy: boolean;
}

/** Starts the application on 127.0.0.1, on any free port. */
export type HttpAppFactory = (plan: HttpPlan) => Promise<HttpApp>;

export interface HttpApp {
  readonly port: number;
  close(): Promise<void>;
}

/** What a framework can do. Each `false` runs a counter-test. */
export interface HttpSupports {
  /** The application parses multipart bodies. */
  readonly multipart: boolean;
}

export interface HttpSuiteOptions {
  /** `test` of vitest, node:test, … */
  readonly test: (name: string, fn: () => Promise<void>) => void;
  readonly factory: HttpAppFactory;
  readonly supports: HttpSupports;
}
