import { AuditError, auditErrorCode } from './audit-error.js';

/** Failures that a process tells of at most, so that a stream of distinct messages does not fill memory or stderr. */
const MAX_DISTINCT = 200;

/** Hands on failures that have no caller, each distinct one once until things went well again. */
export class ErrorReporter {
  /** The last failure, or null since the last success. */
  last: Error | null = null;
  /** All of them, those that were told of before and those that reached a caller too. */
  count = 0;
  private readonly told = new Set<string>();

  constructor(private readonly onError: ((error: Error) => void) | undefined) {}

  /** One that somebody else tells of: the caller whom it is thrown at. */
  note(error: Error): void {
    this.last = error;
    this.count += 1;
  }

  report(error: Error): void {
    this.note(error);
    const key = `${auditErrorCode(error) ?? error.name} ${error.message}`;
    if (this.told.has(key) || this.told.size >= MAX_DISTINCT) return;
    this.told.add(key);
    try {
      (this.onError ?? writeLine)(error);
    } catch (thrown) {
      // An alert that fails must not take the event with it.
      if (this.onError !== undefined) writeLine(toError(thrown));
    }
  }

  /** Reports what a step throws that nobody waits for. */
  async attempt(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.report(toError(error));
    }
  }

  /** The store works again: the same failure is news the next time. */
  recovered(): void {
    this.last = null;
    this.told.clear();
  }
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error(`something that is no Error was thrown: ${typeof thrown}`);
}

/** The failure of a store as the one error of Indelible. */
export function toStoreError(thrown: unknown): AuditError {
  if (thrown instanceof AuditError) return thrown;
  const error = toError(thrown);
  const code = auditErrorCode(error);
  return new AuditError(
    code ?? 'AUDIT_STORE_UNAVAILABLE',
    'core',
    `the store failed: ${withoutSecrets(error.message)}`,
    {
      cause: error,
    },
  );
}

function writeLine(error: Error): void {
  const text = error.message.startsWith('[indelible/')
    ? error.message
    : `[indelible/core] ${error.name}: ${error.message}`;
  console.error(withoutSecrets(text).replace(/\s+/g, ' '));
}

/** Takes out what a driver likes to quote: the user and password of a URL. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1…@')
    .replace(/(password|pwd)=[^\s;&]*/gi, '$1=…');
}
