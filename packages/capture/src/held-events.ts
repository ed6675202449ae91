import type { PreparedEvent, TransactionalAppend } from '@indelible/core';
import { flushFailure } from './capture-failure.js';
import { type CaptureConnection, HeldStatementFailed } from './dialect.js';
import { commitThrough, type EngineParts } from './engine-parts.js';

/** The statement that writes events, given to the connection and sent together with COMMIT. */
export interface HeldEvents {
  readonly written: Promise<number>;
}

/** @returns undefined where the connection or the store can not, and nothing was given */
export function tryHoldEvents(
  connection: CaptureConnection,
  store: TransactionalAppend,
  events: readonly PreparedEvent[],
): HeldEvents | undefined {
  if (connection.hold === undefined) return undefined;
  const statement = store.sureStatement?.(events);
  if (statement === undefined) return undefined;
  const written = connection.hold(statement.sql, statement.params);
  // COMMIT tells first that it failed.
  written.catch(() => undefined);
  return { written };
}

/** Lets COMMIT pass. @throws what it met, or why the events that go along could not be written: it has not run then */
export async function commitWith<T>(
  parts: EngineParts,
  held: HeldEvents | undefined,
  commit: () => Promise<T>,
): Promise<T> {
  if (held === undefined) return commitThrough(parts.dialect, commit);
  let result: T;
  try {
    result = await commit();
  } catch (error) {
    if (!(error instanceof HeldStatementFailed)) throw error;
    throw flushFailure(parts, await held.written.then(() => error, sameError));
  }
  try {
    await held.written;
  } catch (error) {
    // However COMMIT was answered: without its events it did not go well.
    throw flushFailure(parts, error);
  }
  return result;
}

const sameError = (error: unknown): unknown => error;
