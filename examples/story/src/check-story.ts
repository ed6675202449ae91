import type { AuditEvent, Verdict } from '@indelible/core';
import type { PlayedScene } from './play-story.js';
import { tellEvent } from './tell-event.js';

export interface Evidence {
  readonly played: readonly PlayedScene[];
  /** The whole log, without what the audit says of itself. */
  readonly log: readonly AuditEvent[];
  readonly verdicts: readonly Verdict[];
  readonly secrets: readonly string[];
}

/** Holds the log to the story: each scene has its status and exactly its events, nothing else is on record, and the log is valid. */
export function checkStory({ played, log, verdicts, secrets }: Evidence): {
  readonly failures: readonly string[];
  readonly count: number;
} {
  const text = JSON.stringify(log);
  const known = new Set(played.flatMap(({ events }) => events));
  const checks: (string | undefined)[] = [
    ...played.flatMap((scene) => [checkStatus(scene), checkEvents(scene)]),
    ...log.filter((event) => !known.has(event)).map((event) => `nobody did this: ${tellEvent(event)}`),
    ...secrets.map((secret) => (text.includes(secret) ? `the log holds the secret ${secret}` : undefined)),
    played.length > 0 ? undefined : 'nothing was played',
    verdicts.length > 0 ? undefined : 'no log was verified',
    ...verdicts.map(({ result, log: name }) =>
      result === 'valid' ? undefined : `the log "${name}" is ${result}`,
    ),
  ];
  return { failures: checks.filter((failure) => failure !== undefined), count: checks.length };
}

function checkStatus({ scene, outcome }: PlayedScene): string | undefined {
  if (outcome.status === scene.status) return undefined;
  return `"${scene.title}" answered ${outcome.status}, not ${scene.status}`;
}

function checkEvents({ scene, events }: PlayedScene): string | undefined {
  const told = events.map(tellEvent);
  const missing = scene.events.filter((line, at) => told[at] !== line);
  if (missing.length === 0 && told.length === scene.events.length) return undefined;
  return [
    `"${scene.title}" should have recorded`,
    ...scene.events.map((line) => `    ${line}`),
    '  and has recorded',
    ...told.map((line) => `    ${line}`),
  ].join('\n');
}
