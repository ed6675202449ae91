import type { ChangeInput, EventInput } from './event.js';
import type { Redactor } from './redactor.js';

/** True if the rows of a read are told by a field that is redacted: then no id of theirs may be told either. */
export function concealsRead(
  change: ChangeInput | undefined,
  resourceType: string | undefined,
  redactor: Redactor,
): boolean {
  if (change?.operation !== 'read' || !Array.isArray(change.fields)) return false;
  const probe = 'probe';
  return change.fields.some(
    (field: unknown) =>
      typeof field === 'string' &&
      redactor.redact({ [field]: probe }, 'before', resourceType)[field] !== probe,
  );
}

/** The input with pseudonyms in the place of the ids of rows, or with a mask. */
export function concealRead(input: EventInput, redactor: Redactor): EventInput {
  const { resource, details } = input;
  const ids = details?.ids;
  return {
    ...input,
    ...(resource === undefined || resource.id === '*'
      ? {}
      : { resource: { ...resource, id: redactor.conceal(String(resource.id)) } }),
    ...(Array.isArray(ids)
      ? { details: { ...details, ids: ids.map((id) => redactor.conceal(String(id))) } }
      : {}),
  };
}
