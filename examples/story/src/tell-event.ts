import type { AuditEvent, JsonValue } from '@indelible/core';

const INSTANT = /^\d{4}-\d\d-\d\dT/;

/** One event in one line: who, what, to which, and what changed from and to. */
export function tellEvent({ actor, action, resource, outcome, change, context }: AuditEvent): string {
  const { status } = context;
  return [
    actor.role === undefined ? actor.id : `${actor.id} (${actor.role})`,
    action,
    ...(resource === undefined ? [] : [`${resource.type} ${resource.id}`]),
    ...(outcome === 'success' ? [] : [outcome]),
    ...(action.startsWith('request.') && status !== undefined ? [String(status)] : []),
    ...(change === undefined ? [] : [tellChange(change)]),
  ].join(' · ');
}

function tellChange({
  before,
  after,
  fields,
  fidelity,
  operation,
}: NonNullable<AuditEvent['change']>): string {
  const mark = fidelity === 'exact' ? '' : `${fidelity}! `;
  if (before !== undefined && after !== undefined && operation !== 'create') {
    const changed = [...(fields ?? [])].sort();
    return `${mark}${changed.map((name) => `${name} ${show(before[name])} → ${show(after[name])}`).join(', ')}`;
  }
  const [sign, row] = after === undefined ? ['-', before ?? {}] : ['+', after];
  const told = Object.entries(row)
    .filter(([, value]) => value !== null)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return `${mark}${sign} ${told.map(([name, value]) => `${name} ${show(value)}`).join(', ')}`;
}

function show(value: JsonValue | undefined): string {
  // Each run has times of its own.
  if (typeof value === 'string' && INSTANT.test(value)) return '‹time›';
  const isMasked =
    typeof value === 'object' && value !== null && Reflect.get(value, '$indelible') === 'masked';
  return isMasked ? '‹masked›' : JSON.stringify(value);
}
