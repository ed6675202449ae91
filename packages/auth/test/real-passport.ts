import { createRequire } from 'node:module';
import type { Request, RequestHandler } from 'express';

// The types of Passport give every Express request of the workspace another user, so these are its own: what the tests use.

export interface PassportStrategy {
  readonly name?: string;
  authenticate(req: Request, options?: object): void;
}

/** What Passport puts on a strategy. */
export interface StrategyBase extends PassportStrategy {
  success(user: object, info?: object): void;
  fail(challenge?: string, status?: number): void;
}

export type AuthenticateCallback = (error: unknown, user?: unknown, info?: unknown, status?: unknown) => void;

export interface Authenticator {
  use(strategy: PassportStrategy): this;
  serializeUser(fn: (user: object, done: (error: unknown, id?: unknown) => void) => void): void;
  deserializeUser(fn: (id: unknown, done: (error: unknown, user?: object | false) => void) => void): void;
  session(): RequestHandler;
  authenticate(
    strategy: string | readonly string[] | PassportStrategy,
    options?: object,
    callback?: AuthenticateCallback,
  ): RequestHandler;
  authorize(strategy: string): RequestHandler;
}

export type Verify = (
  name: string,
  password: string,
  done: (error: unknown, user?: object | false, info?: { message: string }) => void,
) => void;

const load = createRequire(import.meta.url);
export const { Passport, Strategy }: { Passport: new () => Authenticator; Strategy: new () => StrategyBase } =
  load('passport');
export const {
  Strategy: LocalStrategy,
}: { Strategy: new (options: object, verify: Verify) => PassportStrategy } = load('passport-local');

/** What Passport puts on a request. */
export type PassportRequest = Request & { user?: object; logout(done: (error?: unknown) => void): void };
