import { type Person, SCENES, type Scene } from './script.js';
import { type Answer, createVisitor, type Visitor } from './visitor.js';

/** A scene that was played. */
export interface Played {
  readonly scene: Scene;
  readonly answer: Answer;
}

export interface Day {
  readonly played: readonly Played[];
  /** The session cookies that were given out: secrets, like those of the script. */
  readonly tokens: readonly string[];
}

/** Plays the script over HTTP, one request after the other, each person with cookies of their own. */
export async function playDay(url: string): Promise<Day> {
  const visitors = new Map<Person, Visitor>();
  const played: Played[] = [];
  for (const scene of SCENES) {
    const visitor = visitors.get(scene.who) ?? createVisitor(scene.who, url);
    visitors.set(scene.who, visitor);
    played.push({ scene, answer: await visitor.send(scene.method, scene.path, scene.body) });
  }
  return { played, tokens: [...visitors.values()].flatMap((visitor) => visitor.tokens) };
}
