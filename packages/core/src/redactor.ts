import type { JsonObject } from './event.js';
import type { RedactionOptions } from './redaction.js';

/** Takes secrets out of values before their bytes are made. */
export interface Redactor {
  /** Redacts the members of an object that stands at `root` of an event: `details`, `before`, `after`. Never changes the argument. */
  redact(value: JsonObject, root: string, resourceType?: string): JsonObject;
  /** Redacts one text field of an event, as `text('context', 'route', …)`; undefined where the mode removes it. */
  text(root: string, field: string, value: string): string | undefined;
  /** The same for a text that identifies something: where there is a key, a pseudonym keeps it apart from others. */
  identifier(root: string, field: string, value: string): string;
  /** True if the text holds something to redact. */
  finds(text: string): boolean;
  /** What the mode `hmac` stores for a value: to look it up. @throws AuditError `AUDIT_KEY_MISSING` */
  pseudonym(value: string): string;
}

/**
 * @param pseudonymKey the subkey for pseudonyms, 32 bytes
 * @throws AuditError `AUDIT_KEY_MISSING` for the mode `hmac` without a key, `AUDIT_CONFIG_INVALID`
 */
export function createRedactor(options: RedactionOptions = {}, pseudonymKey?: Uint8Array): Redactor {
  throw new TypeError(`not written yet ${typeof options} ${typeof pseudonymKey}`);
}
