import { readFileSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/** The secret from the key file, else from the environment; never from the command line, where every process could read it. */
export function tryGetSecret(
  keyFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (keyFile === undefined) return env.AUDIT_HMAC_KEY || undefined;
  let text: string;
  try {
    text = readFileSync(keyFile, 'utf8');
  } catch (cause) {
    throw new UsageError(`--key-file ${keyFile} can not be read`, { cause });
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new UsageError(`--key-file ${keyFile} is empty`);
  return secret;
}
