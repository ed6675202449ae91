import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deriveKeys, parseSecret } from '../src/keys.js';

const BYTES = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7));
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('the keys', () => {
  it('are HKDF-SHA-256 of the secret with an empty salt and the purpose as info', () => {
    const keys = deriveKeys(BYTES);
    for (const purpose of ['link', 'head', 'pseudonym', 'webhook', 'replay', 'operation'] as const) {
      const expected = hkdfSync('sha256', BYTES, Buffer.alloc(0), `indelible/${purpose}/v1`, 32);
      expect(Buffer.from(keys[purpose])).toEqual(Buffer.from(expected));
    }
  });

  it('differ by purpose', () => {
    const keys = Object.values(deriveKeys(BYTES)).map((key) => Buffer.from(key).toString('hex'));
    expect(new Set(keys).size).toBe(6);
  });

  it.each([
    ['bytes', BYTES],
    ['base64', `base64:${BYTES.toString('base64')}`],
    ['base64 without padding', `base64:${BYTES.toString('base64').replaceAll('=', '')}`],
    ['base64url', `base64:${BYTES.toString('base64url')}`],
    ['hex', `hex:${BYTES.toString('hex')}`],
    ['HEX', `hex:${BYTES.toString('hex').toUpperCase()}`],
  ])('are read from %s', (_, secret) => {
    expect(Buffer.from(parseSecret(secret))).toEqual(BYTES);
  });

  it('count the UTF-8 bytes of a secret that is text', () => {
    expect(parseSecret('é'.repeat(16)).length).toBe(32);
    expect(() => parseSecret('e'.repeat(31))).toThrow(code('AUDIT_KEY_WEAK'));
  });

  it.each([[''], ['short'], ['hex:00'], ['base64:AAAA'], [new Uint8Array(31)]])(
    'are refused for a weak secret: %j',
    (secret) => {
      expect(() => deriveKeys(secret)).toThrow(code('AUDIT_KEY_WEAK'));
    },
  );

  it.each([
    [`hex:${'0'.repeat(65)}`],
    [`hex:${'zz'.repeat(32)}`],
    [`base64:${'A'.repeat(43)}!`],
    [`base64:${'A'.repeat(45)}`],
    [`base64:${'A'.repeat(20)} ${'A'.repeat(24)}`],
  ])('are refused for a secret that does not decode: %s', (secret) => {
    expect(() => deriveKeys(secret)).toThrow(code('AUDIT_CONFIG_INVALID'));
  });

  it('are never quoted in an error', () => {
    const secret = `hex:${'zq'.repeat(32)}`;
    try {
      deriveKeys(secret);
    } catch (error) {
      expect(String(error)).not.toContain('zqzq');
      return;
    }
    expect.unreachable();
  });

  it('take no secret of another type', () => {
    expect(() => deriveKeys(42 as unknown as string)).toThrow(TypeError);
  });
});
