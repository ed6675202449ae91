import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Audit, createAudit } from '@indelible/core';
import { type Change, proveChains, type Row } from './chain-proof.js';
import type { HammerTarget } from './hammer-target.js';
import type { Promises } from './promises.js';
import { SHARED_ACCOUNTS } from './workload.js';

const PATIENCE_MS = 60_000;
/** A record of the spool that a kill has cut short was promised to nobody. */
const EXPECTED_COMPLAINT = /cut short in its last record/;

export interface Proof {
  /** A line for each thing that is not as it must be. */
  readonly problems: readonly string[];
  readonly events: number;
  readonly changes: number;
  readonly rows: number;
}

/**
 * Lets one healthy process take over what the others left, and then reads with raw SQL: every committed change has exactly
 * one event, no event lacks its change, what was promised is stored once, indexes are dense, the log is valid.
 */
export async function prove(
  target: HammerTarget,
  promises: Promises,
  hmacKey: string,
  spool: string,
): Promise<Proof> {
  const problems: string[] = [];
  const audit = createAudit({
    // The way of the processes: their spools are for the store of this name.
    store: target.url,
    hmacKey,
    spool: { directory: spool },
    lifecycleEvents: false,
    storeTimeoutMs: 20_000,
    onError: (error) => {
      if (!EXPECTED_COMPLAINT.test(error.message)) problems.push(`taking over: ${error.message}`);
    },
  });
  try {
    await takeOver(audit, spool, problems);
    const verdicts = await audit.verify();
    for (const { log, result, findings } of verdicts) {
      if (result === 'valid') continue;
      const first = findings.slice(0, 5).map(({ code, index }) => `${code} at ${String(index)}`);
      problems.push(`log ${log}: ${result} (${findings.length} findings: ${first.join(', ')})`);
    }
    if (verdicts.length === 0) problems.push('there is no log');
  } finally {
    await audit.close();
  }

  const { event, entry, pending } = target.tables;
  // SQLite keeps the bytes as a text, which its library would decode.
  const body = target.kind === 'sqlite' ? 'CAST(body AS BLOB) AS body' : 'body';
  const stored = (await target.read(`SELECT id, ${body} FROM ${event}`)).map(readEvent);
  const ids = stored.map(({ id }) => id);
  const changes = stored.flatMap(({ change }) => (change === undefined ? [] : [change]));
  const seeds = new Map<string, Row>(
    SHARED_ACCOUNTS.map((id) => [id, { id, balance: 100, note: 'seed' }] as const),
  );
  const table = target.kind === 'mysql' ? '`Account`' : '"Account"';
  const accounts = await target.read(`SELECT id, balance, note FROM ${table}`);
  const rows = new Map<string, Row>(
    accounts.map((row) => [String(row.id), { ...row, balance: Number(row.balance) }] as const),
  );
  problems.push(...proveChains(seeds, changes, rows), ...promises.prove(changes, ids));

  const entries = await target.read(`SELECT idx, event_id FROM ${entry} ORDER BY idx`);
  const gap = entries.findIndex(({ idx }, at) => Number(idx) !== at);
  if (gap !== -1) problems.push(`entries: index ${gap} is ${String(entries[gap]?.idx)}`);
  const sealed = new Set(entries.map((row) => String(row.event_id)));
  if (sealed.size !== entries.length) problems.push('entries: an event has two');
  const unsealed = ids.filter((id) => !sealed.has(id));
  if (unsealed.length > 0) problems.push(`entries: ${unsealed.length} events have none`);
  if (entries.length !== ids.length) problems.push(`entries: ${entries.length} for ${ids.length} events`);
  const [left] = await target.read(`SELECT count(*) AS n FROM ${pending}`);
  if (Number(left?.n) !== 0) problems.push(`pending: ${String(left?.n)} are left`);
  return { problems, events: ids.length, changes: changes.length, rows: rows.size };
}

const spooled = (directory: string): readonly string[] =>
  existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.spool')) : [];

async function takeOver(audit: Audit, spool: string, problems: string[]): Promise<void> {
  await audit.record({ action: 'auth.login', details: { operation: 'the proof' } });
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await pause(100)) {
    await audit.flush();
    if (spooled(spool).length === 0) break;
  }
  for (const name of spooled(spool)) problems.push(`spool: ${name} was never replayed`);
  await audit.seal();
  const { lost } = audit.health();
  if (lost > 0) problems.push(`the process that takes over lost ${lost} events`);
}

function readEvent(row: Readonly<Record<string, unknown>>): { id: string; change: Change | undefined } {
  const id = String(row.id);
  const bytes = row.body;
  if (!(bytes instanceof Uint8Array || bytes instanceof ArrayBuffer))
    throw new Error(`event ${id} has no bytes`);
  const body: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (!isObject(body) || !isObject(body.change) || !isObject(body.resource)) return { id, change: undefined };
  const { operation, fidelity, before, after } = body.change;
  return {
    id,
    change: {
      id,
      resourceId: String(body.resource.id),
      operation: String(operation),
      fidelity: String(fidelity),
      before: isObject(before) ? before : undefined,
      after: isObject(after) ? after : undefined,
    },
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
