import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AuditEvent, PreparedEvent } from './event.js';
import type { AuditKeys } from './keys.js';
import { readBody } from './read-body.js';
import { isUuidV7, uuidTime } from './uuid.js';

/** The action of a notice. */
export const REPLAYED = 'audit.replayed';

/** What waited for less is not worth an event. In milliseconds. */
const WORTH_TELLING_MS = 60 * 60 * 1000;
const MAX_IDS = 500;
/** Bytes of a notice beside its ids, and bytes of one id. */
const AROUND_BYTES = 2_048;
const ID_BYTES = 40;

/** What a notice says: which events of its log waited in a spool, and since when. */
export interface ReplayNotice {
  readonly replayed: number;
  /** ISO 8601: when the oldest of them was made. */
  readonly oldest: string;
  readonly ids: readonly string[];
  /** HMAC-SHA-256 in base64 by the key `replay`; absent where there is no key. */
  readonly mac?: string;
}

export interface ReplayNoticeOptions {
  readonly keys: AuditKeys | undefined;
  readonly maxEventBytes: number;
  /** Makes the event of this tenant in this log. */
  readonly prepare: (notice: ReplayNotice, tenant: string | undefined, log: string) => PreparedEvent;
}

/**
 * The events that waited for so long that a notice tells of them.
 *
 * @param now milliseconds since 1970-01-01 UTC
 */
export function findLateEvents(events: readonly PreparedEvent[], now: number): readonly PreparedEvent[] {
  // By the time in the id and not by that of the event, which an application may have chosen itself.
  return events.filter(({ id }) => isUuidV7(id) && now - uuidTime(id).getTime() > WORTH_TELLING_MS);
}

/**
 * The notices for late events, for each log its own. They belong into the same append as the events: neither is then ever
 * there without the other.
 */
export function makeReplayNotices(
  late: readonly PreparedEvent[],
  options: ReplayNoticeOptions,
): readonly PreparedEvent[] {
  const { keys, maxEventBytes, prepare } = options;
  const limit = Math.max(1, Math.min(MAX_IDS, Math.floor((maxEventBytes - AROUND_BYTES) / ID_BYTES)));
  const notices: PreparedEvent[] = [];
  for (const log of new Set(late.map((event) => event.log))) {
    const ofLog = late.filter((event) => event.log === log);
    const tenant = tenantOf(ofLog);
    for (let at = 0; at < ofLog.length; at += limit) {
      const ids = ofLog.slice(at, at + limit).map(({ id }) => id);
      const oldest = Math.min(...ids.map((id) => uuidTime(id).getTime()));
      const mac = keys === undefined ? {} : { mac: macOf(keys, log, ids).toString('base64') };
      const notice = { replayed: ids.length, oldest: new Date(oldest).toISOString(), ids, ...mac };
      notices.push(prepare(notice, tenant, log));
    }
  }
  return notices;
}

/**
 * The ids that a notice names.
 *
 * @returns `vouched` where the MAC shows that it was made with the key and for this log; null for what is no notice, or one
 * with a wrong MAC
 */
export function readReplayNotice(
  body: Uint8Array,
  log: string,
  keys: AuditKeys | undefined,
): { readonly ids: readonly string[]; readonly vouched: boolean } | null {
  const { ids, mac } = tryReadBody(body)?.details ?? {};
  if (!Array.isArray(ids) || !ids.every(isUuidV7)) return null;
  if (mac === undefined || keys === undefined) return { ids, vouched: false };
  if (typeof mac !== 'string') return null;
  const [given, expected] = [Buffer.from(mac, 'base64'), macOf(keys, log, ids)];
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  return { ids, vouched: true };
}

/** HMAC(replayKey, "indelible/replay/v1\n" ‖ log ‖ "\n" ‖ ids, each with "\n" behind it) */
function macOf(keys: AuditKeys, log: string, ids: readonly string[]): Buffer {
  const hmac = createHmac('sha256', keys.replay).update(`indelible/replay/v1\n${log}\n`);
  for (const id of ids) hmac.update(`${id}\n`);
  return hmac.digest();
}

/** From the body: the column does not hold every tenant's name as it is. */
function tenantOf([event]: readonly PreparedEvent[]): string | undefined {
  return event === undefined ? undefined : tryReadBody(event.body)?.context.tenant;
}

function tryReadBody(body: Uint8Array): AuditEvent | null {
  try {
    return readBody(body);
  } catch {
    return null;
  }
}
