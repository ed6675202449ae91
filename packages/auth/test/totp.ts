import { createHmac } from 'node:crypto';
import type { Answer } from './better-auth-app.js';

/** The codes that an authenticator shows (RFC 6238), from the address that enabling it gives. */
export function totpOf(body: Answer['body']): () => string {
  const secret = new URL(String(body?.totpURI)).searchParams.get('secret') ?? '';
  const bits = [...secret.replaceAll('=', '')]
    .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  return () => {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
    const mac = createHmac('sha1', key).update(counter).digest();
    const at = (mac.at(-1) ?? 0) & 15;
    return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
  };
}
