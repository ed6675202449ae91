const TWO_32 = 0x1_0000_0000;

/** Writes a safe integer >= 0 as 8 bytes, big-endian. BigInts would cost more than the hash that follows. */
export function writeUint64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32BE(Math.floor(value / TWO_32) >>> 0, offset);
  target.writeUInt32BE(value >>> 0, offset + 4);
}
