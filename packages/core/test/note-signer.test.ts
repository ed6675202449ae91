import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatCheckpoint } from '../src/checkpoint.js';
import { createSigner, signerKey, signNote, verifierKey } from '../src/note-signer.js';
import { openNote } from '../src/signed-note.js';
import { sha256 } from './rewrite-log.js';
import { temporaryDirectory } from './temporary-directory.js';
import { pemOf, RFC_SEED } from './test-keys.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const TEXT = formatCheckpoint({ origin: 'audit/north', size: 0, root: sha256(Buffer.alloc(0)) });
/** Made with openssl and the first key of RFC 8032, not by this code. */
const NOTE = `${TEXT}
\u2014 audit/north Bw4+OhxNOksYLJl54dPF9fWZsM7gNClhvUude8VNuwkpijR4O9uc3gCTXz0oC/8DJF/Dzm2mMed0B4dnBQOxj6gcAg0=
`;
const NOTE_KEY = `PRIVATE+KEY+audit/north+070e3e3a+${Buffer.from([1, ...RFC_SEED]).toString('base64')}`;

describe('a signer', () => {
  it('from a PEM signs what openssl signs with it', async () => {
    expect(await signNote(TEXT, createSigner(pemOf(RFC_SEED)), 'audit/north')).toBe(NOTE);
  });

  it('from a file signs the same', async () => {
    const file = join(temporaryDirectory(), 'key.pem');
    writeFileSync(file, pemOf(RFC_SEED));
    expect(await signNote(TEXT, createSigner(`file:${file}`), 'audit/north')).toBe(NOTE);
  });

  it('from the key of another tool signs the same, under its own name whatever the log', async () => {
    const signer = createSigner(NOTE_KEY);
    expect(signer.name).toBe('audit/north');
    expect(await signNote(TEXT, signer, 'audit/south')).toBe(NOTE);
  });

  it('that is elsewhere is given the bytes and answers with the signature', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const seen: string[] = [];
    const signer = createSigner({
      publicKey: String(publicKey.export({ format: 'pem', type: 'spki' })),
      sign: async (bytes) => {
        seen.push(Buffer.from(bytes).toString());
        return sign(null, bytes, privateKey);
      },
    });
    const note = await signNote(TEXT, signer, 'audit/north');
    expect(openNote(note, [signerKey(signer, 'audit/north')]).text).toBe(TEXT);
    expect(seen).toEqual([TEXT]);
  });

  it('says by which key others verify: one name and id a log', () => {
    const signer = createSigner(pemOf(RFC_SEED));
    expect(verifierKey(signer, 'audit/north')).toBe(
      'audit/north+070e3e3a+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea',
    );
    expect(verifierKey(signer, 'audit/south')).not.toContain('070e3e3a');
  });

  it.each<[string, () => Uint8Array | Promise<Uint8Array>]>([
    ['throws', () => Promise.reject(new Error('the HSM is away'))],
    ['answers with too little', () => new Uint8Array(63)],
    ['answers with a signature of something else', () => new Uint8Array(64)],
  ])('that %s signs nothing', async (_, answer) => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const pem = String(publicKey.export({ format: 'pem', type: 'spki' }));
    const signer = createSigner({ publicKey: pem, sign: answer });
    await expect(signNote(TEXT, signer, 'audit')).rejects.toThrow(code('AUDIT_SIGNATURE_INVALID'));
  });

  it('can not change the text that it signs', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const signer = createSigner({
      publicKey: String(publicKey.export({ format: 'pem', type: 'spki' })),
      sign: (bytes) => sign(null, bytes.fill(0x20), privateKey),
    });
    await expect(signNote(TEXT, signer, 'audit')).rejects.toThrow(code('AUDIT_SIGNATURE_INVALID'));
  });

  it.each([
    ['text that is no key', 'hunter2'],
    [
      'a key of another kind',
      String(generateKeyPairSync('x25519').privateKey.export({ format: 'pem', type: 'pkcs8' })),
    ],
    ['a cut key of another tool', NOTE_KEY.slice(0, -4)],
    ['one with the id of another key', NOTE_KEY.replace('070e3e3a', '070e3e3b')],
  ])('is not made from %s, and the key is not quoted', (_, text) => {
    expect(() => createSigner(text)).toThrow(code('AUDIT_CONFIG_INVALID'));
    expect(() => createSigner(text)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(text) }),
    );
  });
});
