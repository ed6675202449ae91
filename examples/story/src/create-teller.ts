import { randomUUID } from 'node:crypto';
import type { Outcome } from './play-story.js';

/** Sends a request as somebody who has a token, or as nobody. */
export type Teller = (
  who: string | undefined,
  method: string,
  path: string,
  body?: object,
) => Promise<Outcome>;

/** @param tokens by name */
export function createTeller(url: string, tokens: Readonly<Record<string, string>>): Teller {
  return async (who, method, path, body) => {
    const id = randomUUID();
    const token = who === undefined ? undefined : tokens[who];
    const answer = await fetch(new URL(path, url), {
      method,
      headers: {
        'x-request-id': id,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await answer.arrayBuffer();
    return { id, status: answer.status };
  };
}
