import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FixedHmac } from '../src/fixed-hmac.js';
import { isHeadAuthentic, macHead } from '../src/head.js';
import { hashLeaf } from '../src/leaf.js';
import { firstLink, Linker } from '../src/link.js';
import { KEYS, OTHER_KEYS } from './make-event.js';
import { headMac, leafOf, linkOf, startOf } from './rewrite-log.js';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('the leaf', () => {
  it('is SHA-256 of a zero byte and the body, for every length', () => {
    for (const length of [0, 1, 55, 64, 4_095, 4_096, 4_097, 70_000, (1 << 20) - 1, 1 << 20, 3_000_000, 10]) {
      const body = Buffer.alloc(length, length % 251);
      expect(Buffer.from(hashLeaf(body))).toEqual(leafOf(body));
    }
  });

  it('is taken of a part of a larger buffer as of its copy', () => {
    const large = Buffer.from('xxbodyxx');
    expect(Buffer.from(hashLeaf(large.subarray(2, 6)))).toEqual(leafOf(Buffer.from('body')));
  });
});

describe('the link', () => {
  it('starts from the name of the log', () => {
    expect(Buffer.from(firstLink('audit/Zoë'))).toEqual(startOf('audit/Zoë'));
  });

  it('is the HMAC of the design, and plain SHA-256 without a key', () => {
    const index = fc.oneof(
      fc.maxSafeNat(),
      fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
    );
    const linkers = [KEYS.link, undefined].map((key) => [key, new Linker(key ?? null)] as const);
    fc.assert(
      fc.property(
        bytes32,
        index,
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        bytes32,
        (previous, at, time, leaf) => {
          for (const [key, linker] of linkers) {
            const link = linker.link(previous, at, time, leaf);
            expect(Buffer.from(link)).toEqual(linkOf(key, previous, at, time, leaf));
          }
        },
      ),
    );
  });
});

describe('the HMAC for messages of one length', () => {
  it('equals that of node:crypto for keys and messages of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 150 }), fc.uint8Array({ maxLength: 200 }), (key, message) => {
        const hmac = new FixedHmac(key, message.length);
        const target = Buffer.alloc(40, 9);
        for (let twice = 0; twice < 2; twice++) {
          hmac.message.set(message);
          hmac.digestInto(target, 4);
          expect(target.subarray(4, 36)).toEqual(createHmac('sha256', key).update(message).digest());
        }
        expect([...target.subarray(0, 4), ...target.subarray(36)]).toEqual(Array(8).fill(9));
      }),
    );
  });
});

describe('the MAC of a head', () => {
  const head = { log: 'audit', size: 2 ** 33 + 3, hash: Buffer.alloc(32, 1), range: Buffer.alloc(96, 2) };
  const signed = { ...head, mac: macHead(KEYS, head) };

  it('is the HMAC of the design', () => {
    expect(Buffer.from(signed.mac)).toEqual(headMac(KEYS.head, head));
    expect(isHeadAuthentic(KEYS, signed)).toBe(true);
  });

  it.each([
    ['log', { log: 'audit2' }],
    ['size', { size: 3 }],
    ['link', { hash: Buffer.alloc(32, 3) }],
    ['range', { range: Buffer.alloc(96, 3) }],
    [
      'border between link and range',
      { hash: Buffer.alloc(31, 1), range: Buffer.concat([Buffer.alloc(1, 1), head.range]) },
    ],
    ['MAC', { mac: Buffer.alloc(32) }],
    ['length of the MAC', { mac: signed.mac.subarray(0, 31) }],
    ['presence of the MAC', { mac: null }],
    ['kind of the size', { size: head.size + 0.5 }],
  ])('shows another %s', (_, change) => {
    expect(isHeadAuthentic(KEYS, { ...signed, ...change })).toBe(false);
  });

  it('shows another key', () => {
    expect(isHeadAuthentic(OTHER_KEYS, signed)).toBe(false);
  });
});
