import type { FindingCode, NotChecked } from '@indelible/core';
import type { TamperedFile } from './tampered-file.js';

/** The tenant's log that is tampered with: eight entries, each with a value in every query column. */
export const LOG = 'clinic/north';
/** Another log of three entries in the same file, of which no tampering may give a finding unless it says so. */
export const OTHER = 'clinic';
export const SIZE = 8;
export const SECRET = 'the secret of the tampering story, 32+';
export const OTHER_SECRET = 'another secret of the tampering story';

export type Found = readonly [log: string, code: FindingCode, index: number | null];

/** What the owner of the file did, and exactly what verification has to say to it: these findings and no others. */
export interface Tampering {
  readonly name: string;
  /** True: two more events of LOG wait for the sealer. */
  readonly pending?: boolean;
  readonly tamper: (file: TamperedFile) => void;
  readonly expected: readonly Found[];
  /** What must be listed as not checked, where nothing can be found. */
  readonly notChecked?: readonly (readonly [log: string, what: NotChecked['what']])[];
}

export const inLog = (...findings: readonly (readonly [FindingCode, number | null])[]): readonly Found[] =>
  findings.map(([code, index]) => [LOG, code, index]);

export const linksOf = (indexes: readonly number[]): readonly Found[] =>
  indexes.map((index) => [LOG, 'AUDIT_LINK_MISMATCH', index]);

export const ALL_INDEXES = Array.from({ length: SIZE }, (_, index) => index);
