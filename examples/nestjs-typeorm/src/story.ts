import { randomUUID } from 'node:crypto';
import type { Scene, Teller } from '@indelible/example-story';

export const TOKENS = { ida: 'token-of-ida', max: 'token-of-max' };

/** What happens in the newsroom, and what must be on record of it. */
export function createScenes(ask: Teller, archive: (run: string) => Promise<void>): readonly Scene[] {
  const scene = (
    title: string,
    [who, method, path, body]: Parameters<Teller>,
    status: number,
    events: readonly string[],
  ): Scene => ({ title, act: () => ask(who, method, path, body), status, events });
  const job = (title: string, events: readonly string[]): Scene => ({
    title,
    act: async () => {
      const id = randomUUID();
      await archive(id);
      return { id };
    },
    events,
  });

  return [
    scene('Nobody is signed in', [undefined, 'POST', '/articles', { title: 'x' }], 401, [
      'anonymous · request.completed · denied · 401',
    ]),
    scene('Ida writes an article', ['ida', 'POST', '/articles', { title: 'On bees' }], 201, [
      'ida (author) · article.created · Article 1 · + author "ida", id 1, status "draft", title "On bees"',
      'ida (author) · request.completed · 201',
    ]),
    scene('and another one', ['ida', 'POST', '/articles', { title: 'On wasps' }], 201, [
      'ida (author) · article.created · Article 2 · + author "ida", id 2, status "draft", title "On wasps"',
      'ida (author) · request.completed · 201',
    ]),
    scene(
      'She may not publish it: a guard refuses, and knows her name',
      ['ida', 'POST', '/articles/1/publication'],
      403,
      ['ida (author) · request.completed · denied · 403'],
    ),
    scene(
      'Max, an editor, may: an interceptor names what he does',
      ['max', 'POST', '/articles/1/publication'],
      204,
      [
        'max (editor) · article.updated · Article 1 · status "draft" → "published"',
        'max (editor) · request.completed · 204',
        'max (editor) · article.published · Article 1',
      ],
    ),
    scene('but not twice', ['max', 'POST', '/articles/1/publication'], 409, [
      'max (editor) · request.completed · failure · 409',
      'max (editor) · article.published · Article 1 · failure',
    ]),
    scene(
      'An issue with both: the second is rolled back with the first',
      ['max', 'POST', '/articles/issue', { ids: [2, 1] }],
      409,
      ['max (editor) · request.completed · failure · 409'],
    ),
    scene('Reading changes nothing', ['max', 'GET', '/articles'], 200, []),
    job('At night a job archives what is published', [
      'nightly-archive · article.updated · Article 1 · status "published" → "archived"',
    ]),
  ];
}
