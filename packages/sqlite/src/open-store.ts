import { AuditError, type AuditStore } from '@indelible/core';
import { parseDriverChoice } from './choose-driver.js';
import { pathOfUrl } from './database-file.js';
import { createSqliteStore } from './sqlite-store.js';

/**
 * Opens the store that a URL names: `file:./audit.db`, `sqlite:/var/lib/app.db`.
 *
 * @param options `driver`, `synchronous`, `busyTimeoutMs`, `readOnly`, `worker` of `createSqliteStore`; an ORM package passes the library that
 * it uses as `driver`
 * @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for `:memory:` and for anything behind a network
 */
export async function openStore(
  url: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<AuditStore> {
  const { driver, synchronous, busyTimeoutMs, readOnly, worker, ...unknown } = options;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw invalid(stranger, 'no such option');
  if (
    synchronous !== undefined &&
    synchronous !== 'FULL' &&
    synchronous !== 'EXTRA' &&
    synchronous !== 'NORMAL'
  ) {
    throw invalid('synchronous', "expected 'FULL', 'EXTRA' or 'NORMAL'");
  }
  if (busyTimeoutMs !== undefined && typeof busyTimeoutMs !== 'number') {
    throw invalid('busyTimeoutMs', 'expected milliseconds');
  }
  if (readOnly !== undefined && typeof readOnly !== 'boolean') {
    throw invalid('readOnly', 'expected true or false');
  }
  if (worker !== undefined && worker !== 'auto' && typeof worker !== 'boolean') {
    throw invalid('worker', "expected true, false or 'auto'");
  }
  return createSqliteStore({
    file: pathOfUrl(url),
    driver: parseDriverChoice(driver),
    ...(synchronous === undefined ? {} : { synchronous }),
    ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }),
    ...(readOnly === undefined ? {} : { readOnly }),
    ...(worker === undefined ? {} : { worker }),
  });
}

function invalid(option: string, detail: string): AuditError {
  return new AuditError('AUDIT_CONFIG_INVALID', 'sqlite', `${option}: ${detail}`);
}
