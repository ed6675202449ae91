/** What the command answers to the script that called it. */
export const EXIT_CODE = {
  /** Done; for `verify`: every check passed. */
  valid: 0,
  /** `verify` has findings. */
  invalid: 1,
  /** `verify` was interrupted, or there was nothing to verify. */
  incomplete: 2,
  /** Wrong usage, no such database, no such event: the command could not do its work. */
  couldNotRun: 3,
} as const;

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];
