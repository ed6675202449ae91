import { existsSync } from 'node:fs';
import { UsageError } from './usage-error.js';

const DEFAULT_PATH = './audit.db';

/** @throws UsageError where no database is named and there is none to be found */
export function databaseUrl(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const url = option ?? env.AUDIT_DATABASE_URL;
  if (url !== undefined && url !== '') return url;
  if (existsSync(DEFAULT_PATH)) return `file:${DEFAULT_PATH}`;
  throw new UsageError(
    'which database? Pass --url, or set AUDIT_DATABASE_URL; there is no ./audit.db here either',
  );
}
