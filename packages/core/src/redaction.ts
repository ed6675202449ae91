/** How a redacted value is stored. */
export type RedactionMode = 'remove' | 'mask' | 'hmac';

export interface RedactionOptions {
  /** Further field names, matched in any case style and at any depth. */
  readonly fields?: readonly string[];
  /** Exact paths into `before`, `after`, `details` and so on, as `details.form.pin` or `Patient.diagnosis`. */
  readonly paths?: readonly string[];
  /** Names of the built-in list that are allowed through. */
  readonly allow?: readonly string[];
  /** @default 'mask' */
  readonly mode?: RedactionMode;
  /** Looks for card numbers, JWTs, bearer tokens, private keys and tokens of well-known vendors inside text. @default true */
  readonly detectValues?: boolean;
  /** A last step of one's own on each value; what it throws masks the value. */
  readonly custom?: (value: unknown, path: readonly string[]) => unknown;
}
