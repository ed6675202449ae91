import { deriveColumns } from './columns.js';
import type { PreparedEvent } from './event.js';
import { hashLeaf } from './leaf.js';
import { readBody } from './read-body.js';

/** An event as it was prepared, from its bytes alone. Undefined for what is no event. */
export function tryReadPrepared(body: Uint8Array): PreparedEvent | undefined {
  try {
    const event = readBody(body);
    const { id, log, category } = event;
    return { id, log, category, body, leaf: hashLeaf(body), columns: deriveColumns(event) };
  } catch {
    return undefined;
  }
}
