import { FindingList } from './finding-list.js';
import type { AuditStore } from './store.js';
import type { NotChecked, Verdict } from './verdict.js';
import type { Check } from './verify-checks.js';
import { EntriesVerifier } from './verify-entries.js';
import { verifyHeadMac } from './verify-head.js';
import type { VerifyLogOptions } from './verify-log.js';
import { VerifyPace } from './verify-pace.js';
import { verifyWaiting } from './verify-waiting.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Verifies one log, which may have the empty name: a tampered row can. @param disabled checks that are left out: for the test that each of them is needed */
export async function runVerification(
  store: AuditStore,
  log: string,
  options: VerifyLogOptions,
  disabled: ReadonlySet<Check>,
): Promise<Verdict> {
  checkCount('keyedFrom', options.keyedFrom);
  checkCount('maxFindings', options.maxFindings);
  checkCount('maxSkewMs', options.maxSkewMs);
  const { keys, keyedFrom = 0, maxSkewMs = DAY_MS, maxFindings = 1_000, signer } = options;
  const findings = new FindingList(log, maxFindings, disabled);
  const pace = new VerifyPace(options);

  const head = await store.head(log);
  if (head !== null) verifyHeadMac(head, keys, keyedFrom, findings);
  const entries = new EntriesVerifier(store, log, head, {
    keys,
    keyedFrom,
    maxSkewMs,
    signer,
    findings,
    pace,
  });
  await entries.run();
  const pending = pace.aborted ? null : await verifyWaiting(store, log, findings, pace);
  pace.finish(entries.size, Math.max(head?.size ?? 0, entries.size));

  const { chain } = entries;
  // Sealing never leaves such a head: whoever emptied the log can.
  const noHead = head === null || (head.size === 0 && head.mac === null);
  const keyless = keys === undefined && (chain.unreadableFrom !== null || options.keyedFrom !== undefined);
  const notChecked: NotChecked[] = [];
  if (pace.aborted) {
    notChecked.push({ what: 'interrupted', detail: `stopped after ${entries.size} entries` });
  }
  if (noHead) {
    const detail = 'the log has no head, so nothing says how many entries it should have';
    notChecked.push({ what: 'no-head', detail });
  }
  if (keyless) {
    const from = chain.unreadableFrom ?? 0;
    notChecked.push({
      what: 'unkeyed',
      detail: `the log is keyed: without the key the links from ${from} on and the head prove nothing`,
    });
  } else if (keys === undefined) {
    const detail = 'there is no key: whoever can write the database can rewrite the whole log unnoticed';
    notChecked.push({ what: 'unkeyed', detail });
  } else if (chain.unkeyed > 0) {
    const detail = `${chain.unkeyed} entries are older than the key: whoever can write the database can rewrite them`;
    notChecked.push({ what: 'unkeyed', detail });
  }
  if (pending !== null && pending > 0) {
    const detail = `${pending} events are not sealed yet: until then one can be deleted unnoticed`;
    notChecked.push({ what: 'pending', detail });
  }
  for (const open of [entries.lateness.notChecked, entries.checkpoints.notChecked]) {
    if (open !== null) notChecked.push(open);
  }
  const rollback = 'there is no anchor: a whole database that was put back from an older copy looks right';
  notChecked.push({ what: 'rollback', detail: rollback });

  const complete = !pace.aborted && !noHead && !keyless;
  return {
    result: findings.found > 0 ? 'invalid' : complete ? 'valid' : 'incomplete',
    log,
    size: entries.size,
    root: entries.tree.root(),
    findings: findings.sorted(),
    truncated: findings.truncated,
    notChecked,
  };
}

function checkCount(name: string, value: number | undefined): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return;
  throw new TypeError(`\`${name}\` is a number of at least 0`);
}
