import { userInfo } from 'node:os';
import type { EventInput, JsonObject, ListedEvent } from '@indelible/core';
import type { CommandCall } from './command.js';
import type { OpenLog } from './open-log.js';
import { asObject, asText, tryParseBody } from './parse-body.js';

export interface Reading {
  readonly action: 'audit.queried' | 'audit.verified' | 'audit.exported';
  readonly details: JsonObject;
  /** What was read: it tells which log the reading belongs to. */
  readonly events?: readonly ListedEvent[];
}

/** Records that somebody read the log, unless `--no-record` is given. A failure is one line on stderr, never the command's. */
export async function recordReading(call: CommandCall, log: OpenLog, reading: Reading): Promise<void> {
  if (call.values.flag('no-record')) return;
  try {
    const place = placeOf(reading.events ?? []) ?? { origin: await originOf(log) };
    const input: EventInput = {
      action: reading.action,
      category: 'access',
      actor: { type: 'user', id: osUser() },
      context: { source: 'cli', ...(place.tenant === undefined ? {} : { tenant: place.tenant }) },
      details: reading.details,
    };
    await log.audit({ origin: place.origin }).record(input);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    call.terminal.warn(`this reading was not recorded: ${message}`);
  }
}

/** The name of the operating-system user. */
export function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id that has no name.
    return `uid:${process.getuid?.() ?? 'unknown'}`;
  }
}

interface Place {
  readonly origin: string;
  readonly tenant?: string;
}

/** The log that these events stand in; for events of several tenants the application's own. */
function placeOf(events: readonly ListedEvent[]): Place | undefined {
  const first = events[0];
  if (first === undefined) return undefined;
  const tenant = asText(asObject(tryParseBody(first.body)?.context)?.tenant);
  const origin = tenant === undefined ? first.log : first.log.slice(0, first.log.lastIndexOf('/'));
  const oneLog = events.every((event) => event.log === first.log);
  return tenant !== undefined && oneLog ? { origin, tenant } : { origin };
}

/** The application's own log among those of the database: the one that the others' names begin with. */
async function originOf(log: OpenLog): Promise<string> {
  const names = (await log.store.logs()).map((summary) => summary.log);
  const origins = names.filter((name) => !names.some((other) => name.startsWith(`${other}/`)));
  return origins.length === 1 && origins[0] !== undefined ? origins[0] : 'audit';
}
