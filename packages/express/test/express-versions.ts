import { createRequire } from 'node:module';
import express, { type NextFunction, type Request, type Response } from 'express';

type Handler = (req: Request, res: Response, next: NextFunction) => Promise<void>;

/** A major version of Express that the tests run on. */
export interface ExpressVersion {
  readonly major: number;
  readonly express: typeof express;
  /** Makes a handler whose rejection goes to the error handling. */
  readonly wrap: (handler: Handler) => Handler;
}

/** Its types are those of Express 5: the tests use what both have. */
const express4: typeof express = createRequire(import.meta.url)('express4');

export const EXPRESS_VERSIONS: readonly ExpressVersion[] = [
  { major: 5, express, wrap: (handler) => handler },
  // Express 4 does not look at what a handler returns, so applications catch for themselves.
  { major: 4, express: express4, wrap: (handler) => (req, res, next) => handler(req, res, next).catch(next) },
];
