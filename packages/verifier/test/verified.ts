import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parsePolicy } from '../src/policy.js';
import type { Verdict } from '../src/verdict.js';
import { type VerifyFileOptions, verifyFile } from '../src/verify-file.js';

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'indelible-verifier-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Verifies these bytes by this policy, as a file. */
export async function verified(
  bytes: string | Uint8Array,
  policy: string,
  options?: VerifyFileOptions,
): Promise<Verdict> {
  const file = join(temporaryDirectory(), 'evidence');
  writeFileSync(file, bytes);
  return verifyFile(file, parsePolicy(policy), options);
}

export function codes(verdict: Verdict): readonly string[] {
  return verdict.findings.map(({ code }) => code);
}
