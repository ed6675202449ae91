import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ERROR_CODES, FINDING_CODES } from '@indelible/core';
import { describe, expect, it } from 'vitest';
import { packageNames, ROOT, read, sources, withoutComments } from './workspace-files.js';

const ENVIRONMENT = ['AUDIT_DATABASE_URL', 'AUDIT_HMAC_KEY'];
const DEFINITIONS = ['packages/core/src/error-codes.ts', 'packages/core/src/finding-codes.ts'];

function codesIn(path: string): string[] {
  return [...withoutComments(read(path)).matchAll(/'(AUDIT_[A-Z_]+)'/g)].map((match) => match[1] ?? '');
}

const used = new Map<string, string>();
for (const path of packageNames().flatMap(sources)) {
  if (!DEFINITIONS.includes(path)) for (const code of codesIn(path)) used.set(code, path);
}

describe('codes', () => {
  it('every error code is used in a source file', () => {
    expect(Object.keys(ERROR_CODES).filter((code) => !used.has(code))).toEqual([]);
  });

  it('every finding code is used in a source file', () => {
    expect(Object.keys(FINDING_CODES).filter((code) => !used.has(code))).toEqual([]);
  });

  it('every code in a source file is defined', () => {
    const defined = [...Object.keys(ERROR_CODES), ...Object.keys(FINDING_CODES), ...ENVIRONMENT];
    expect([...used].filter(([code]) => !defined.includes(code))).toEqual([]);
  });

  it('the tables and the help in the READMEs are those of the code', () => {
    const run = () =>
      execFileSync(process.execPath, [join(ROOT, 'scripts/generate-docs.mjs'), '--check'], { stdio: 'pipe' });
    expect(run).not.toThrow();
  });

  it('the README of core has every code and no other', () => {
    const readme = read('packages/core/README.md');
    const listed = [...readme.matchAll(/^\| `(AUDIT_[A-Z_]+)` \|/gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual([...Object.keys(ERROR_CODES), ...Object.keys(FINDING_CODES)].sort());
  });
});
