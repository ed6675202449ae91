import type { AuditEvent, Verdict } from '@indelible/core';
import { ACCOUNTS } from '../seed.js';
import { checkChanges } from './check-changes.js';
import { checkTables } from './check-tables.js';
import type { Leak } from './find-secrets.js';
import type { Played } from './play-day.js';
import type { Tables, Trail, TrailEntry } from './read-trail.js';
import type { Forgery } from './tamper.js';

/** All that the day left behind. */
export interface Evidence {
  readonly played: readonly Played[];
  readonly trail: Trail;
  /** The tables as the migrations left them, and as the day did. */
  readonly tables: { readonly initial: Tables; readonly final: Tables };
  readonly leaks: readonly Leak[];
  readonly verdicts: readonly Verdict[];
  readonly forged: readonly Forged[];
}

/** A forgery and what verification says to it. */
export interface Forged {
  readonly forgery: Forgery;
  readonly verdicts: readonly Verdict[];
}

export interface Check {
  readonly name: string;
  /** What is wrong; empty where all is as it should be. */
  readonly failures: readonly string[];
}

/** Holds what the day left behind against what the script says. */
export function checkDay(evidence: Evidence): readonly Check[] {
  const { played, trail, tables, verdicts, forged } = evidence;
  const { entries } = trail;
  return [
    {
      name: `all ${played.length} requests were answered as the script says`,
      failures: checkAnswers(played),
    },
    {
      name: 'each request has its events on record, no more and no fewer',
      failures: checkEvents(played, entries),
    },
    { name: 'each event names who did it', failures: checkActors(played, entries) },
    { name: 'before and after of particular changes are those of the day', failures: checkChanges(entries) },
    {
      name: 'the events of a transaction share its id, and nothing else does',
      failures: checkTransactions(played, entries),
    },
    {
      name: 'the trail, replayed, gives the tables as they are',
      failures: checkTables(tables.initial, tables.final, entries),
    },
    {
      name: 'no secret of the day is in the bytes on disk',
      failures: evidence.leaks.map(({ secret, file }) => `${secret} is in ${file}`),
    },
    { name: 'the log verifies, and nothing is left unsealed', failures: checkVerdicts(verdicts, trail) },
    {
      name: `each of the ${forged.length} forgeries is found, where it was made`,
      failures: checkForgeries(forged),
    },
  ];
}

function checkAnswers(played: readonly Played[]): string[] {
  return played
    .filter(({ scene, answer }) => scene.status !== answer.status)
    .map((scene) => `${nameOf(scene)}: answered ${scene.answer.status}, not ${scene.scene.status}`);
}

function checkEvents(played: readonly Played[], entries: readonly TrailEntry[]): string[] {
  const failures = played.flatMap((scene) => {
    const counts = countActions(eventsOf(entries, scene));
    const expected = new Map([...Object.entries(scene.scene.records), ['request.completed', 1] as const]);
    const actions = new Set([...counts.keys(), ...expected.keys()]);
    return [...actions]
      .filter((action) => counts.get(action) !== expected.get(action))
      .map(
        (action) =>
          `${nameOf(scene)}: ${counts.get(action) ?? 0} × ${action}, not ${expected.get(action) ?? 0}`,
      );
  });
  const outside = countActions(
    entries.map(({ event }) => event).filter(({ context }) => context.requestId === undefined),
  );
  const expected = new Map([['staff.created', Object.keys(ACCOUNTS).length]]);
  for (const [action, count] of expected) {
    if (outside.get(action) !== count)
      failures.push(`set-up: ${outside.get(action) ?? 0} × ${action}, not ${count}`);
  }
  for (const action of outside.keys()) {
    if (!expected.has(action) && !action.startsWith('audit.'))
      failures.push(`set-up: an unexpected ${action}`);
  }
  return failures;
}

function checkActors(played: readonly Played[], entries: readonly TrailEntry[]): string[] {
  return played.flatMap((scene) => {
    const account = Object.keys(ACCOUNTS).indexOf(scene.scene.who) + 1;
    // Who failed to sign in is nobody yet.
    const expected = scene.scene.status === 401 ? 'anonymous' : `user ${account}`;
    return eventsOf(entries, scene)
      .filter(
        ({ actor }) => (actor.type === 'anonymous' ? 'anonymous' : `${actor.type} ${actor.id}`) !== expected,
      )
      .map(
        ({ action, actor }) =>
          `${nameOf(scene)}: ${action} is by ${actor.type} ${actor.id}, not by ${expected}`,
      );
  });
}

function checkTransactions(played: readonly Played[], entries: readonly TrailEntry[]): string[] {
  const failures: string[] = [];
  const scenes = new Map<string, string>();
  for (const scene of played) {
    const changes = eventsOf(entries, scene).filter(({ change }) => change !== undefined);
    const ids = new Set(changes.map(({ context }) => context.transactionId));
    // Signing out and closing the day are single statements too: one transaction each.
    if (changes.length > 0 && ids.size !== 1)
      failures.push(`${nameOf(scene)}: ${ids.size} transaction ids, not 1`);
    for (const id of ids) {
      const other = id === undefined ? 'no transaction' : scenes.get(id);
      if (other !== undefined) failures.push(`${nameOf(scene)}: shares its transaction id with ${other}`);
      else if (id !== undefined) scenes.set(id, nameOf(scene));
    }
  }
  return failures;
}

function checkVerdicts(verdicts: readonly Verdict[], { entries, pending }: Trail): string[] {
  const failures = verdicts.flatMap(({ log, result, findings }) => [
    ...(result === 'valid' ? [] : [`${log}: ${result}`]),
    ...findings.map(({ code, index, detail }) => `${log}: ${code} at ${index ?? 'no index'}: ${detail}`),
  ]);
  const size = verdicts.reduce((sum, verdict) => sum + verdict.size, 0);
  if (size !== entries.length)
    failures.push(`${size} entries were verified, and ${entries.length} are in the file`);
  if (pending !== 0) failures.push(`${pending} events are not sealed`);
  if (verdicts.some(({ notChecked }) => notChecked.some(({ what }) => what === 'unkeyed'))) {
    failures.push('the log has no key');
  }
  return failures;
}

function checkForgeries(forged: readonly Forged[]): string[] {
  const failures = forged.flatMap(({ forgery, verdicts }) => {
    const { code, index } = forgery.expected;
    const found = verdicts.some(
      ({ result, findings }) =>
        result === 'invalid' && findings.some((finding) => finding.code === code && finding.index === index),
    );
    return found ? [] : [`${forgery.name}: no ${code} at ${index ?? 'the whole log'}`];
  });
  if (forged.length !== 4) failures.push(`${forged.length} forgeries were tried, not 4`);
  return failures;
}

/** The events of a scene, found by the id that the server gave to the request. */
function eventsOf(entries: readonly TrailEntry[], { answer }: Played): readonly AuditEvent[] {
  return entries
    .map(({ event }) => event)
    .filter(({ context }) => answer.requestId !== null && context.requestId === answer.requestId);
}

function countActions(events: readonly AuditEvent[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { action } of events) counts.set(action, (counts.get(action) ?? 0) + 1);
  return counts;
}

function nameOf({ scene }: Played): string {
  return `"${scene.who} ${scene.story}"`;
}
