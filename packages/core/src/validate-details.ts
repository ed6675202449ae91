import { AuditError } from './audit-error.js';
import type { Catalogue } from './catalogue.js';
import type { EventInput } from './event.js';
import type { StandardIssue, StandardResult } from './standard-schema.js';

const MAX_ISSUES = 10;

/**
 * Checks an event's details against the schema of its action, and puts what the schema returns in their place. A promise
 * only where the schema's answer is one, so that events without a schema never wait.
 *
 * @throws AuditError `AUDIT_DETAILS_INVALID`
 */
export function validateDetails(catalogue: Catalogue, input: EventInput): EventInput | Promise<EventInput> {
  const schema = catalogue.tryGet(input.action)?.details;
  if (schema === undefined) return input;
  let result: StandardResult<unknown> | Promise<StandardResult<unknown>>;
  try {
    result = schema['~standard'].validate(input.details);
  } catch (cause) {
    throw failed(input, 'the schema threw', cause);
  }
  if (!(result instanceof Promise)) return accept(input, result);
  return result.then(
    (settled) => accept(input, settled),
    (cause: unknown) => {
      throw failed(input, 'the schema threw', cause);
    },
  );
}

function accept(input: EventInput, result: StandardResult<unknown>): EventInput {
  if (result.issues !== undefined) {
    const issues = result.issues.slice(0, MAX_ISSUES).map(describe);
    if (result.issues.length > MAX_ISSUES) issues.push(`and ${result.issues.length - MAX_ISSUES} more`);
    throw failed(input, issues.join('; '));
  }
  const { details: _, ...rest } = input;
  if (result.value === undefined) return rest;
  if (typeof result.value !== 'object' || result.value === null || Array.isArray(result.value)) {
    throw failed(input, 'the schema returned no object');
  }
  return { ...rest, details: result.value as Readonly<Record<string, unknown>> };
}

function describe(issue: StandardIssue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  return path.length === 0 ? issue.message : `${path.join('.')}: ${issue.message}`;
}

function failed(input: EventInput, what: string, cause?: unknown): AuditError {
  return new AuditError(
    'AUDIT_DETAILS_INVALID',
    'core',
    `the details of ${input.action} do not fit its schema: ${what}`,
    { cause },
  );
}
