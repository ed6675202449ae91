import { readProperty } from './read-property.js';

/** A query object of node-postgres or of an extension of it (a cursor, COPY): it writes and reads its messages itself. */
export interface Submittable {
  submit(connection: unknown): unknown;
  handleReadyForQuery(connection: unknown): unknown;
  handleError(error: unknown, connection: unknown): unknown;
}

export function isSubmittable(value: unknown): value is Submittable {
  return typeof readProperty(value, 'submit') === 'function';
}

/**
 * Has a query object wait for its turn. Nobody else sees its rows, so what it may write is marked; whoever waits for its end
 * is told once that is committed.
 *
 * @param send gives it to the client
 * @param run as of the engine
 */
export function submitInTurn(
  submittable: Submittable,
  client: object,
  send: () => Promise<void>,
  run: (sql: string, execute: () => Promise<void>) => Promise<void>,
): void {
  const text = readProperty(submittable, 'text') ?? readProperty(readProperty(submittable, 'cursor'), 'text');
  let tell: (() => void) | undefined;
  let isSent = false;
  const execute = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const { handleReadyForQuery, handleError } = submittable;
      Object.assign(submittable, {
        handleReadyForQuery: (connection: unknown): void => {
          tell = () => Reflect.apply(handleReadyForQuery, submittable, [connection]);
          resolve();
        },
        handleError: (error: unknown, connection: unknown): void => {
          reject(error);
          Reflect.apply(handleError, submittable, [error, connection]);
        },
      });
      send().then(() => {
        isSent = true;
      }, reject);
    });
  run(typeof text === 'string' ? text : '', execute).then(
    () => tell?.(),
    (error: unknown) => {
      if (!isSent) submittable.handleError(error, readProperty(client, 'connection'));
      // Its own error it has told already.
      else if (tell !== undefined) tellFailure(submittable, error, client);
    },
  );
}

/** All that it sent went well, and was not committed: it has no messages any more to end with an error. */
function tellFailure(submittable: Submittable, error: unknown, client: object): void {
  const Query: unknown = readProperty(readProperty(client, 'constructor'), 'Query');
  const isPlain = typeof Query === 'function' && submittable instanceof Query;
  const [name, ...args] = isPlain
    ? ['handleError', error, readProperty(client, 'connection')]
    : typeof readProperty(submittable, 'destroy') === 'function'
      ? ['destroy', error]
      : ['emit', 'error', error];
  Reflect.apply(Object(readProperty(submittable, String(name))), submittable, args);
}
