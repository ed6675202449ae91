import { refuse } from './finding.js';
import { tryDecode } from './note.js';

/** An event's proof. Source: https://c2sp.org/tlog-proof */
export interface EventProof {
  readonly index: number;
  readonly proof: readonly Buffer[];
  /** The event's body, which others may leave out. */
  readonly extra: Buffer | null;
  /** The signed note, byte for byte. */
  readonly checkpoint: Buffer;
}

/** That a checkpoint continues an earlier one. Source: https://c2sp.org/tlog-witness, the body of add-checkpoint */
export interface ConsistencyProof {
  readonly oldSize: number;
  readonly proof: readonly Buffer[];
  readonly checkpoint: Buffer;
}

export const PROOF_HEADER = 'c2sp.org/tlog-proof@v1\n';
export const CONSISTENCY_HEADER = 'old ';
/** A tree of 2^53 entries has no longer proof of inclusion; one of consistency has at most one node more. */
const MAX_NODES = 64;

/** @throws Refused `BUNDLE_LINE` */
export function parseEventProof(file: Buffer): EventProof {
  const { lines, checkpoint } = split(file.subarray(PROOF_HEADER.length));
  const extra =
    lines[0]?.startsWith('extra ') === true ? decode(lines.shift()?.slice('extra '.length)) : null;
  const [, index] = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '') ?? [];
  return { index: whole(index), proof: nodes(lines), extra, checkpoint };
}

/** @throws Refused `BUNDLE_LINE` */
export function parseConsistencyProof(file: Buffer): ConsistencyProof {
  const { lines, checkpoint } = split(file);
  const [, size] = /^old (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '') ?? [];
  return { oldSize: whole(size), proof: nodes(lines), checkpoint };
}

function split(file: Buffer): { readonly lines: string[]; readonly checkpoint: Buffer } {
  const end = file.indexOf('\n\n');
  if (end === -1) throw malformed('it has no checkpoint');
  return { lines: file.toString('latin1', 0, end).split('\n'), checkpoint: file.subarray(end + 2) };
}

function nodes(lines: readonly string[]): readonly Buffer[] {
  if (lines.length > MAX_NODES) throw malformed('the proof is too long');
  return lines.map((line) => {
    const node = decode(line);
    if (node.length !== 32) throw malformed('a hash has not 32 bytes');
    return node;
  });
}

function decode(text: string | undefined): Buffer {
  const bytes = tryDecode(text ?? '');
  if (bytes === null) throw malformed('a line is no base64');
  return bytes;
}

function whole(text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || !Number.isSafeInteger(value)) throw malformed('it names no place in the log');
  return value;
}

function malformed(why: string) {
  return refuse('BUNDLE_LINE', `the proof has not the form that it must have: ${why}`);
}
