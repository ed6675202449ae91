import type { Socket } from 'node:net';
import type { PgCaller } from './pg-caller.js';

/** How many bytes the server has sent to the caller. */
export function bytesRead({ client }: PgCaller): number {
  const stream: unknown = Reflect.get(Reflect.get(client, 'connection') as object, 'stream');
  return (stream as Socket).bytesRead;
}
