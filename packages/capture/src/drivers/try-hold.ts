import { HoldingClient, type HoldingOptions, type PgClient, type PgQueryClass } from './holding-client.js';
import type { PreparedNames } from './prepared-names.js';
import { readProperty } from './read-property.js';

const MESSAGES = ['parse', 'bind', 'describe', 'execute', 'sync'] as const;

/**
 * What can hold back statements of a client. Only node-postgres's own in its usual mode is known to take them so.
 * @param names of statements that the connections of its pool keep prepared
 * @param send the client's own `query`, where another one stands in its place
 */
export function tryHold(
  client: unknown,
  names: PreparedNames,
  how: HoldingOptions,
  send?: PgClient['query'],
): HoldingClient | undefined {
  const connection = readProperty(client, 'connection');
  const Query = readProperty(readProperty(client, 'constructor'), 'Query');
  const isKnown =
    isClient(client) &&
    isQueryClass(Query) &&
    MESSAGES.every((name) => typeof readProperty(connection, name) === 'function') &&
    readProperty(connection, 'stream') !== undefined &&
    readProperty(client, 'pipeline') !== true &&
    readProperty(client, 'binary') !== true;
  if (!isKnown) return undefined;
  const types = typeof readProperty(client, 'getTypeParser') === 'function' ? client : undefined;
  const own: PgClient = send === undefined ? client : Object.create(client, { query: { value: send } });
  return new HoldingClient(own, Query, names, how, types);
}

function isClient(client: unknown): client is PgClient {
  return typeof readProperty(client, 'query') === 'function';
}

function isQueryClass(value: unknown): value is PgQueryClass {
  return typeof value === 'function' && typeof readProperty(value.prototype, 'submit') === 'function';
}
