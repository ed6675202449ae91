// Made from sql/*.sql by scripts/compile-functions.mjs. Edit those.
import { AUDIT_TRIGGER_BODY } from './sql/audit-trigger-body.js';
import { AUDIT_TRIGGER_COLUMNS } from './sql/audit-trigger-columns.js';
import { AUDIT_TRIGGER_CONTEXT } from './sql/audit-trigger-context.js';
import { AUDIT_TRIGGER_EVENTS } from './sql/audit-trigger-events.js';
import { AUDIT_TRIGGER_FIELDS } from './sql/audit-trigger-fields.js';
import { AUDIT_TRIGGER_FIT } from './sql/audit-trigger-fit.js';
import { AUDIT_TRIGGER_IDENTITY } from './sql/audit-trigger-identity.js';
import { AUDIT_TRIGGER_INSTALL } from './sql/audit-trigger-install.js';
import { AUDIT_TRIGGER_JSON } from './sql/audit-trigger-json.js';
import { AUDIT_TRIGGER_KIND } from './sql/audit-trigger-kind.js';
import { AUDIT_TRIGGER_LEVEL } from './sql/audit-trigger-level.js';
import { AUDIT_TRIGGER_ROW } from './sql/audit-trigger-row.js';
import { AUDIT_TRIGGER_STATEMENT } from './sql/audit-trigger-statement.js';
import { AUDIT_TRIGGER_TRUNCATE } from './sql/audit-trigger-truncate.js';
import { AUDIT_TRIGGER_VALUE } from './sql/audit-trigger-value.js';

/** In the order in which they build on each other. */
export const FUNCTIONS: readonly string[] = [
  AUDIT_TRIGGER_KIND,
  AUDIT_TRIGGER_JSON,
  AUDIT_TRIGGER_VALUE,
  AUDIT_TRIGGER_FIELDS,
  AUDIT_TRIGGER_CONTEXT,
  AUDIT_TRIGGER_COLUMNS,
  AUDIT_TRIGGER_IDENTITY,
  AUDIT_TRIGGER_FIT,
  AUDIT_TRIGGER_BODY,
  AUDIT_TRIGGER_EVENTS,
  AUDIT_TRIGGER_STATEMENT,
  AUDIT_TRIGGER_ROW,
  AUDIT_TRIGGER_TRUNCATE,
  AUDIT_TRIGGER_LEVEL,
  AUDIT_TRIGGER_INSTALL,
];

/** The MD5 of their names and sources, as `listTriggers` asks for it. */
export const FUNCTIONS_SUM = '114d20743ddaa26da28f049c92aa9a49';
