import type { AuditEvent } from '@indelible/core';

/** An event in a few words: `update 7 age,name`, `execute person opaque: the trigger …`. */
export function summary({ change, resource, details }: AuditEvent): string {
  if (change === undefined) return 'no change';
  const { operation, fields, fidelity } = change;
  if (operation === 'execute') return `${fidelity} ${resource?.type ?? ''}: ${String(details?.reason)}`;
  const moved = details?.newResourceId === undefined ? '' : ` to ${String(details.newResourceId)}`;
  const named = fields === undefined ? '' : ` ${[...fields].sort().join(',')}`;
  return `${operation} ${resource?.id ?? ''}${moved}${named}`;
}
