import type { ListedEvent } from '@indelible/core';

/** Microseconds since 1970 as ISO 8601 UTC with all six digits. */
export function isoMicroseconds(microseconds: bigint): string {
  const millis = new Date(Number(microseconds / 1000n)).toISOString();
  return `${millis.slice(0, -1)}${String(microseconds % 1000n).padStart(3, '0')}Z`;
}

/** Where an event stands: its index, or that it still waits. */
export function renderPlace(event: ListedEvent): string {
  return event.index === null ? 'pending' : String(event.index);
}
