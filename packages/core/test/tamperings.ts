import type { Tampering } from './tampering.js';
import { TAMPERINGS_OF_CHECKPOINTS } from './tamperings-of-checkpoints.js';
import { TAMPERINGS_OF_ENTRIES } from './tamperings-of-entries.js';
import { TAMPERINGS_OF_LOGS } from './tamperings-of-logs.js';

/** Everything that is done to a log behind its back. */
export const TAMPERINGS: readonly Tampering[] = [
  ...TAMPERINGS_OF_ENTRIES,
  ...TAMPERINGS_OF_LOGS,
  ...TAMPERINGS_OF_CHECKPOINTS,
];
