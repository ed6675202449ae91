import type { AuditOptions } from './audit.js';
import { AuditRuntime } from './audit-runtime.js';
import { readAuditSettings } from './audit-settings.js';
import type { ActionDefinitions, Catalogue } from './catalogue.js';
import type { TypedAudit } from './typed-record.js';

/** The options of an audit whose `record` is typed by the catalogue in `actions`. */
export interface TypedAuditOptions<D extends ActionDefinitions> extends AuditOptions {
  readonly actions?: Catalogue<D>;
}

/**
 * Makes an audit. Nothing is opened until the first event is recorded.
 *
 * @throws AuditError `AUDIT_CONFIG_INVALID` that names the option, `AUDIT_KEY_WEAK`, `AUDIT_KEY_MISSING`
 * @example
 * const audit = createAudit({ store: 'file:./audit.db' });
 * await audit.record({ action: 'invoice.exported', resource: { type: 'Invoice', id: '7' } });
 */
export function createAudit<const D extends ActionDefinitions = Record<never, never>>(
  options: TypedAuditOptions<D> = {},
): TypedAudit<D> {
  return new AuditRuntime(readAuditSettings(options, process.env));
}
