import type { Audit, JoinTarget } from '@indelible/core';
import type { CheckedCaptureOptions } from './capture-options.js';
import type { ChangeEvents } from './change-events.js';
import type { CaptureConnection, CaptureDialect, CaptureSession, ValueLimits } from './dialect.js';
import { letGoOfFrames } from './error-text.js';
import type { RowClock } from './event-buffer.js';
import type { StatementReader } from './statement.js';

/** What one engine's transactions share. */
export interface EngineParts {
  readonly audit: () => Audit;
  readonly dialect: CaptureDialect;
  readonly options: CheckedCaptureOptions;
  readonly events: ChangeEvents;
  readonly reader: StatementReader;
  /** A statement's text for an event, without its values. */
  readonly textOf: (sql: string) => string;
  /** Where events go along, checked to be of this database. */
  readonly store: (connection: CaptureConnection) => Promise<JoinTarget>;
  /** The schema of the tables that they go to, once `store` has found them. */
  readonly storeSchema: () => string | undefined;
  /** By which their ids are in order. */
  readonly clock: RowClock;
  /** The package that speaks in errors. */
  readonly where: string;
}

/** @param begun true where each transaction on the connection is opened around one statement, with the dialect's `begin` */
export function createSession(
  parts: EngineParts,
  connection: CaptureConnection,
  begun: boolean,
): CaptureSession {
  const { maxRows, strict } = parts.options;
  const { storeSchema } = parts;
  const { ignores } = parts.events;
  const mustJoin = (): boolean => parts.audit().policy('data') === 'strict';
  const limits = (): ValueLimits => parts.audit().limits();
  return parts.dialect.createSession(
    connection,
    { maxRows, strict, ignores, limits, mustJoin, storeSchema },
    begun,
  );
}

const BUSY_RETRY_MS = 1_000;
const MAX_PAUSE_MS = 50;
/** A process whose event loop stood still for a second has not tried for a second. */
const MIN_TRIES = 20;

/** Our sealer may hold the database for some milliseconds: without auditing nobody would. */
export async function retryWhileBusy<T>(dialect: CaptureDialect, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + BUSY_RETRY_MS;
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      letGoOfFrames(error);
      const isOver = tries >= MIN_TRIES && Date.now() > deadline;
      if (!dialect.isBusy(error) || dialect.isStale(error) || isOver) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(2 ** tries, MAX_PAUSE_MS)));
    }
  }
}

const COMMIT_TRIES = 3;

export async function commitThrough<T>(dialect: CaptureDialect, commit: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await commit();
    } catch (error) {
      letGoOfFrames(error);
      if (tries === COMMIT_TRIES || !(await dialect.clearForCommit(error, tries))) throw error;
    }
  }
}
