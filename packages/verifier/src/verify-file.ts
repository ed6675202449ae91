import { open } from 'node:fs/promises';
import { ByteReader, readFile } from './byte-reader.js';
import type { Policy } from './policy.js';
import { CONSISTENCY_HEADER, PROOF_HEADER } from './proof-file.js';
import { alwaysUnchecked, type Verdict } from './verdict.js';
import { type BundleOptions, verifyBundle } from './verify-bundle.js';
import { verifyConsistencyProof, verifyEventProof } from './verify-proof.js';

export interface VerifyFileOptions extends BundleOptions {
  /** A file with the event, byte for byte, for a proof that does not carry it. */
  readonly body?: string;
}

/** A proof is a text of a few lines, and the event that it carries. */
const MAX_PROOF_BYTES = 32 << 20;

/**
 * Verifies what a file holds by what it begins with: a bundle (`.tar.gz` or `.tar`), the proof of one event (`.tlog-proof`), or
 * a proof of consistency.
 *
 * @throws PolicyError for anchors that can not be read; what reading the file throws. Whatever is wrong with the file itself is
 * a finding.
 */
export async function verifyFile(
  path: string,
  policy: Policy,
  options: VerifyFileOptions = {},
): Promise<Verdict> {
  const start = await readStart(path);
  if (start.toString('latin1') === PROOF_HEADER) {
    const body = options.body === undefined ? undefined : await readBounded(options.body);
    const file = await readBounded(path);
    return file === null || body === null ? tooLarge(policy) : verifyEventProof(file, policy, body);
  }
  if (start.toString('latin1', 0, CONSISTENCY_HEADER.length) === CONSISTENCY_HEADER) {
    const file = await readBounded(path);
    return file === null ? tooLarge(policy) : verifyConsistencyProof(file, policy);
  }
  const isCompressed = start[0] === 0x1f && start[1] === 0x8b;
  const reader = new ByteReader(readFile(path, isCompressed));
  try {
    return await verifyBundle(reader, policy, options);
  } finally {
    await reader.close();
  }
}

async function readStart(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(PROOF_HEADER.length), 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function readBounded(path: string): Promise<Buffer | null> {
  const file = await open(path);
  try {
    return (await file.stat()).size > MAX_PROOF_BYTES ? null : await file.readFile();
  } finally {
    await file.close();
  }
}

function tooLarge(policy: Policy): Verdict {
  return {
    result: 'invalid',
    kind: 'unknown',
    checkpoint: null,
    entries: 0,
    anchors: [],
    event: null,
    findings: [{ code: 'BUNDLE_MEMBER_LARGE', index: null, detail: 'the proof is too large' }],
    truncated: false,
    notChecked: alwaysUnchecked(policy.hasQuorum, false),
  };
}
