import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createAudit } from '@indelible/core';
import type { HammerTarget } from './hammer-target.js';
import { type Child, start, WORKER } from './processes.js';
import { Promises } from './promises.js';
import { type Proof, prove } from './prove.js';
import { createRandom } from './random.js';

const HMAC_KEY = 'the secret of the hammer, longer than thirty-two bytes';
const STOP_PATIENCE_MS = 30_000;

export interface HammerOptions {
  readonly processes: number;
  readonly seconds: number;
  /** Kill -9 processes at random. */
  readonly kill: boolean;
  readonly seed: number;
}

export interface HammerReport {
  readonly label: string;
  readonly proof: Proof;
  readonly promises: Promises;
  /** What was done to it, and how often. */
  readonly injected: ReadonlyMap<string, number>;
  readonly notInjected: readonly string[];
  /** Everything that is not as it must be, a line each. */
  readonly problems: readonly string[];
}

/** Runs processes on a database that is hurt in all of its ways at random, and proves at the end what must hold. */
export async function hammer(target: HammerTarget, options: HammerOptions): Promise<HammerReport> {
  const spool = mkdtempSync(join(tmpdir(), 'indelible-hammer-spool-'));
  const random = createRandom(options.seed);
  const promises = new Promises();
  const problems: string[] = [];
  const children = new Set<Child>();
  let kills = 0;
  let started = 0;

  const first = createAudit({ store: target.directUrl, hmacKey: HMAC_KEY, lifecycleEvents: false });
  await first.migrate();
  await first.close();

  const startOne = (): Child => {
    started += 1;
    const args = [
      WORKER,
      target.kind,
      target.url,
      spool,
      `p${started}`,
      String(options.seed + started * 100),
      '2',
    ];
    let complaint = '';
    const child = start(
      process.execPath,
      args,
      HMAC_KEY,
      (line) => promises.read(line),
      (text) => {
        // The end of what it said says why it ended.
        complaint = (complaint + text).slice(-3_000);
      },
    );
    children.add(child);
    void child.ended.then(() => {
      children.delete(child);
      // An application outlives its database.
      const { exitCode } = child.process;
      if (exitCode !== null && exitCode !== 0)
        problems.push(`a process ended with ${exitCode}: ${complaint}`);
    });
    return child;
  };

  const until = Date.now() + options.seconds * 1_000;
  const isOver = (): boolean => Date.now() >= until;
  const keepKilling = async (): Promise<void> => {
    while (!isOver()) {
      await pause(Math.min(200 + random() * 1_300, Math.max(0, until - Date.now())));
      const victims = [...children];
      const victim = victims[Math.floor(random() * victims.length)];
      if (victim === undefined || isOver()) continue;
      if (victim.process.kill('SIGKILL')) kills += 1;
      await victim.ended;
    }
  };
  const keepRunning = async (): Promise<void> => {
    while (!isOver()) {
      while (children.size < options.processes) startOne();
      await pause(50);
    }
  };
  const keepHurting = async (): Promise<void> => {
    // Give the first ones time to begin.
    await pause(Math.min(2_000, options.seconds * 300));
    while (!isOver()) {
      await pause(200 + random() * 1_000);
      const injection = target.injections[Math.floor(random() * target.injections.length)];
      if (!isOver()) await injection?.strike(random);
    }
  };
  try {
    await Promise.all([keepRunning(), keepHurting(), ...(options.kill ? [keepKilling()] : [])]);
    await target.settle();
    await stopAll(children, problems);
    const proof = await prove(target, promises, HMAC_KEY, spool);
    problems.push(...proof.problems);
    // Each category that the workload records is to be spooled, so nothing may be lost, told or untold.
    for (const { code, text } of promises.errors) if (code === 'AUDIT_EVENT_LOST') problems.push(text);
    if (promises.operations === 0) problems.push('not one operation was committed: nothing is proven');
    const injected = new Map(target.injections.map((each) => [each.name, each.count()] as const));
    injected.set('processes started', started);
    if (options.kill) injected.set('processes killed with -9', kills);
    return { label: target.label, proof, promises, injected, notInjected: target.notInjected, problems };
  } finally {
    for (const { process: child } of children) child.kill('SIGKILL');
    rmSync(spool, { recursive: true, force: true });
  }
}

async function stopAll(children: ReadonlySet<Child>, problems: string[]): Promise<void> {
  for (const { process: child } of children) child.kill('SIGTERM');
  const all = Promise.all([...children].map(({ ended }) => ended));
  const timer = new AbortController();
  const late = pause(STOP_PATIENCE_MS, true, { signal: timer.signal }).catch(() => false);
  if ((await Promise.race([all.then(() => false), late])) === true) {
    problems.push(`${children.size} processes did not stop within ${STOP_PATIENCE_MS} ms`);
    for (const { process: child } of children) child.kill('SIGKILL');
    await all;
  }
  timer.abort();
}
