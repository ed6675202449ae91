import type { AuditEvent, Verdict } from '@indelible/core';
import { checkStory } from './check-story.js';
import { tellEvent } from './tell-event.js';

/** What a scene came to. */
export interface Outcome {
  /** Under which its events are found: the id of its request, or the correlation id of its job. */
  readonly id: string;
  /** @default none: it was no request */
  readonly status?: number;
}

/** One thing that somebody does, and what must be on record of it. */
export interface Scene {
  readonly title: string;
  readonly act: () => Promise<Outcome>;
  readonly status?: number;
  /** Each event as `tellEvent` tells it, in order. */
  readonly events: readonly string[];
}

export interface Story {
  readonly scenes: readonly Scene[];
  /** Resolves when the application has stopped and all that it recorded is sealed. */
  readonly stop: () => Promise<void>;
  /** Everything in the log, read with plain SQL. */
  readonly readLog: () => Promise<readonly AuditEvent[]> | readonly AuditEvent[];
  readonly verify: () => Promise<readonly Verdict[]>;
  /** What must stand nowhere in the log. */
  readonly secrets?: readonly string[];
}

export interface PlayedScene {
  readonly scene: Scene;
  readonly outcome: Outcome;
  readonly events: readonly AuditEvent[];
}

/** Plays the scenes one after the other, prints what was recorded of each, and says whether all of it is as it should be. */
export async function playStory(story: Story): Promise<boolean> {
  const outcomes: { scene: Scene; outcome: Outcome }[] = [];
  for (const scene of story.scenes) outcomes.push({ scene, outcome: await scene.act() });
  await story.stop();

  const log = (await story.readLog()).filter(({ action }) => !action.startsWith('audit.'));
  const played = outcomes.map(({ scene, outcome }) => ({
    scene,
    outcome,
    events: log.filter(({ context }) => (context.requestId ?? context.correlationId) === outcome.id),
  }));
  for (const { scene, outcome, events } of played) {
    console.log(`\n${scene.title}${outcome.status === undefined ? '' : ` → ${outcome.status}`}`);
    for (const event of events) console.log(`  ${tellEvent(event)}`);
  }

  const verdicts = await story.verify();
  console.log('');
  for (const { log: name, result, size } of verdicts)
    console.log(`${result}: log "${name}", ${size} entries`);
  const { failures, count } = checkStory({ played, log, verdicts, secrets: story.secrets ?? [] });
  for (const failure of failures) console.log(`FAILED: ${failure}`);
  console.log(
    failures.length === 0 ? `All ${count} checks passed.` : `${failures.length} of ${count} checks FAILED.`,
  );
  return failures.length === 0;
}
