export { FINDINGS, type Finding, type FindingCode } from './finding.js';
export { type Checkpoint, tryParseKey, type VerifierKey } from './note.js';
export { type Policy, PolicyError, parsePolicy } from './policy.js';
export type { NotChecked, Verdict } from './verdict.js';
export type { BundleOptions } from './verify-bundle.js';
export { type VerifyFileOptions, verifyFile } from './verify-file.js';
