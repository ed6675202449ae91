import {
  type AuditKeys,
  type AuditStore,
  type EventInput,
  type JsonObject,
  type JsonValue,
  readBody,
  vouchFor,
} from '@indelible/core';
import type { ListedTable, TriggerProblem } from './list-triggers.js';

/** The action of the event that tells which triggers were installed. */
export const TRIGGERS_INSTALLED = 'audit.triggers_installed';

export interface TriggerFinding {
  /** `schema.table` */
  readonly table: string;
  /**
   * A problem of `listTriggers`; `changed`: somebody has switched the triggers off and on, or dropped or made them, since they
   * were installed; `gone`: the table was dropped, or renamed; `unrecorded`: no event of the log tells of their installation.
   */
  readonly problem: TriggerProblem | 'changed' | 'gone' | 'unrecorded';
}

const PAGE = 100;

/**
 * The event that tells which triggers stand where, to be recorded when they have been installed. What `checkTriggers` finds it
 * compares with the last of them.
 */
export function describeTriggers(tables: readonly ListedTable[], keys: AuditKeys | undefined): EventInput {
  const installed = Object.fromEntries(
    tables.filter(({ name }) => name !== null).map(({ table, fingerprint }) => [table, fingerprint]),
  );
  const mac = keys === undefined ? {} : { mac: vouchFor(keys, { installed }) };
  return { action: TRIGGERS_INSTALLED, category: 'admin', details: { installed, ...mac } };
}

/**
 * Whether the triggers stand as they were installed: whoever switches one off, writes, and switches it on again leaves its
 * row of the catalogue another one.
 *
 * @param tables of `listTriggers`; those without triggers of which the log knows nothing are passed over
 */
export async function checkTriggers(
  store: AuditStore,
  tables: readonly ListedTable[],
  keys: AuditKeys | undefined,
): Promise<readonly TriggerFinding[]> {
  const installed = await lastInstalled(store, keys);
  const findings: TriggerFinding[] = [];
  for (const { table, name, fingerprint, problems } of tables) {
    const known = installed?.get(table);
    if (name === null && known === undefined) continue;
    for (const problem of problems) findings.push({ table, problem });
    if (known === undefined) findings.push({ table, problem: 'unrecorded' });
    else if (known !== fingerprint && !problems.includes('missing'))
      findings.push({ table, problem: 'changed' });
  }
  const there = new Set(tables.map(({ table }) => table));
  for (const table of installed?.keys() ?? [])
    if (!there.has(table)) findings.push({ table, problem: 'gone' });
  return findings;
}

async function lastInstalled(
  store: AuditStore,
  keys: AuditKeys | undefined,
): Promise<ReadonlyMap<string, string> | undefined> {
  const filter = { action: TRIGGERS_INSTALLED, order: 'newest', limit: PAGE } as const;
  for (let page = await store.list(filter); page.length > 0; ) {
    for (const { body } of page) {
      const { installed, mac } = tryReadDetails(body);
      if (!isMembers(installed)) continue;
      // With a key only what was made with it counts.
      if (keys !== undefined && mac !== vouchFor(keys, { installed })) continue;
      return new Map(Object.entries(installed).map(([table, value]) => [table, String(value)]));
    }
    const last = page.at(-1);
    page = last === undefined ? [] : await store.list({ ...filter, after: last.id });
  }
  return undefined;
}

function tryReadDetails(body: Uint8Array): JsonObject {
  try {
    return readBody(body).details ?? {};
  } catch {
    return {};
  }
}

function isMembers(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
