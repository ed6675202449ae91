/** What `verify` checks. */
export interface VerifyOptions {
  /** @default every log of the store */
  readonly log?: string;
  /** Called now and then with the number of entries done and, where known, the number in all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** At most so many findings are listed. @default 1_000 */
  readonly maxFindings?: number;
  /** How far an event's time may be from its sealing. @default 24 hours */
  readonly maxSkewMs?: number;
}
