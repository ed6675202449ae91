import { errorNumbers, errorText } from '../error-text.js';

const DEADLOCKS = new Set([1213, 1614]);
// What the mariadb driver says where the connection is gone.
const CONNECTION_GONE =
  /\b(?:45009|45012|45013|45025|45026|ECONNRESET|EPIPE)\b|TransactionWriteConflict|socket has unexpectedly been closed/;

/** A deadlock or a conflict has undone the transaction, or the connection is gone. */
export function endsTransaction(error: unknown): boolean {
  return (
    errorNumbers(error).some((number) => DEADLOCKS.has(number)) || CONNECTION_GONE.test(errorText(error))
  );
}
