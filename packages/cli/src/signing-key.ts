import { createSigner, type NoteSigner } from '@indelible/core';
import type { CommandCall, CommandOption } from './command.js';
import { UsageError } from './usage-error.js';

export const SIGNING_KEY_OPTION = {
  type: 'string',
  value: '<path>',
  help: 'a file with the Ed25519 key that signs checkpoints; default: the environment variable AUDIT_SIGNING_KEY',
} as const satisfies CommandOption;

/** The key that signs checkpoints, from a file or the environment and never from the command line. */
export function getSigner({ values }: CommandCall): NoteSigner {
  const path = values.text('signing-key');
  const key = path === undefined ? process.env.AUDIT_SIGNING_KEY : `file:${path}`;
  if (key === undefined || key === '') {
    throw new UsageError(
      'a checkpoint is signed: give --signing-key or AUDIT_SIGNING_KEY. Make a key with `openssl genpkey -algorithm ed25519 -out signing-key.pem`',
    );
  }
  return createSigner(key);
}
