import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { createNoteKey, formatNoteKey, type NoteKey, type NoteKeyType } from '../src/note-key.js';

/** PKCS #8 around the seed of an Ed25519 key: RFC 8410, section 7. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The first key of RFC 8032, section 7.1: what it signs is the same in every run. */
export const RFC_SEED = Buffer.from(
  '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  'hex',
);

export function pemOf(seed: Uint8Array): string {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  return String(key.export({ format: 'pem', type: 'pkcs8' }));
}

export interface TestKey {
  readonly key: NoteKey;
  readonly vkey: string;
  /** One signature line over this text, made without the code under test. */
  line(text: string, timestamp?: number): string;
}

/** A key of its own, new in each run. */
export function makeTestKey(name: string, type: NoteKeyType = 'ed25519'): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = createNoteKey(
    name,
    Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
    type,
  );
  const id = Buffer.alloc(4);
  id.writeUInt32BE(key.id);
  return {
    key,
    vkey: formatNoteKey(key),
    line: (text, timestamp = 1_767_225_600) => {
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(timestamp));
      const signature =
        type === 'ed25519'
          ? sign(null, Buffer.from(text), privateKey)
          : Buffer.concat([
              time,
              sign(null, Buffer.from(`cosignature/v1\ntime ${timestamp}\n${text}`), privateKey),
            ]);
      return `\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
    },
  };
}
