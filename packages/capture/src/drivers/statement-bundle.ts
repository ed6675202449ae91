/** A query object of node-postgres (`Client.Query`): it writes its own messages and reads the answers to them. */
export interface PgQuery {
  /** Of a prepared statement, which the server keeps under it. */
  readonly name?: string | undefined;
  readonly text?: string | undefined;
  submit(connection: PgConnection): Error | null;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: PgConnection): void;
  handleEmptyQuery(connection: PgConnection): void;
  handlePortalSuspended(connection: PgConnection): void;
  handleCopyInResponse(connection: PgConnection): void;
  handleCopyData(message: unknown, connection: PgConnection): void;
  handleReadyForQuery(connection: PgConnection): void;
  handleError(error: unknown, connection: PgConnection): void;
}

/** The connection beneath a client of node-postgres, as its query objects use it. */
export interface PgConnection {
  readonly stream: { cork?(): void; uncork?(): void };
  /** The texts of prepared statements, by their names. */
  readonly parsedStatements?: Readonly<Record<string, string>>;
  /** Those that were sent and not answered. */
  readonly submittedNamedStatements?: Record<string, string>;
  parse(message: { readonly text: string; readonly name?: string }): void;
  bind(message: object): void;
  describe(message: { readonly type: 'P'; readonly name: string }): void;
  execute(message: object): void;
  sync(): void;
}

export interface BundlePart {
  /** Undefined for one without values whose answer nobody asks for. */
  readonly query?: PgQuery | undefined;
  readonly text: string;
  /** The statement did not run, because one before it failed with this error. */
  readonly skip: (error: unknown) => void;
}

/**
 * Several statements in one round trip, in the way of the extended protocol: they are sent one behind the other with a
 * single Sync, and where one fails the server passes over all that stand behind it.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class StatementBundle {
  /** The client puts its own in the place of this one, where it has a time limit. */
  callback: (error: unknown) => void = () => undefined;
  /** The one that the server answers now. */
  #at = 0;
  #isOver = false;
  /** Why the driver did not send a statement, and so none behind it. */
  #refusal: Error | undefined;

  constructor(private readonly parts: readonly BundlePart[]) {}

  submit(connection: PgConnection): null {
    let isSent = false;
    // A query object ends its messages with Sync, and sends a statement without values in the simple protocol.
    const own: PgConnection = Object.create(connection, {
      sync: { value: () => undefined },
      execute: {
        value: (message: object) => {
          isSent = true;
          connection.execute(message);
        },
      },
      query: {
        value: (text: string) => {
          isSent = true;
          sendWithoutValues(connection, text);
        },
      },
    });
    connection.stream.cork?.();
    try {
      for (const { query, text } of this.parts) {
        if (query === undefined) {
          sendWithoutValues(connection, text);
          continue;
        }
        isSent = false;
        this.#refusal = query.submit(own) ?? undefined;
        // A value that has no form in the protocol: the query has told its caller, and nothing may run behind it.
        if (!isSent) this.#refusal ??= new Error('a statement before this one could not be sent');
        if (this.#refusal !== undefined) break;
      }
      connection.sync();
    } finally {
      connection.stream.uncork?.();
    }
    return null;
  }

  /** The client notes under which name the server has prepared what it answers now. */
  get name(): string | undefined {
    return this.#now?.name;
  }

  get text(): string | undefined {
    return this.#now?.text;
  }

  handleRowDescription(message: unknown): void {
    this.#now?.handleRowDescription(message);
  }

  handleDataRow(message: unknown): void {
    this.#now?.handleDataRow(message);
  }

  handleCommandComplete(message: unknown, connection: PgConnection): void {
    this.#now?.handleCommandComplete(message, connection);
    this.#at += 1;
  }

  handleEmptyQuery(connection: PgConnection): void {
    this.#now?.handleEmptyQuery(connection);
    this.#at += 1;
  }

  handlePortalSuspended(connection: PgConnection): void {
    this.#now?.handlePortalSuspended(connection);
  }

  handleCopyInResponse(connection: PgConnection): void {
    this.#now?.handleCopyInResponse(connection);
  }

  handleCopyData(message: unknown, connection: PgConnection): void {
    this.#now?.handleCopyData(message, connection);
  }

  handleReadyForQuery(connection: PgConnection): void {
    if (this.#refusal !== undefined) {
      this.#fail(this.#refusal, connection, true);
      return;
    }
    this.#end(undefined, () => {
      for (const { query } of this.parts) query?.handleReadyForQuery(connection);
    });
  }

  handleError(error: unknown, connection: PgConnection): void {
    // A connection that breaks says of no statement whether it ran.
    this.#fail(error, connection, isOfServer(error));
  }

  #fail(error: unknown, connection: PgConnection, isSkipped: boolean): void {
    this.#end(error, () => {
      for (const [position, { query, skip }] of this.parts.entries()) {
        if (position < this.#at) query?.handleReadyForQuery(connection);
        else if (position === this.#at || !isSkipped) query?.handleError(error, connection);
        else {
          // The server has passed over the message that prepares it.
          if (query?.name) delete connection.submittedNamedStatements?.[query.name];
          skip(error);
        }
      }
    });
  }

  get #now(): PgQuery | undefined {
    return this.parts[this.#at]?.query;
  }

  #end(error: unknown, tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    tell();
    this.callback(error);
  }
}

/** What the server answers has a severity; what the driver says of a connection has none. */
function isOfServer(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'severity' in error;
}

function sendWithoutValues(connection: PgConnection, text: string): void {
  connection.parse({ text });
  connection.bind({});
  connection.describe({ type: 'P', name: '' });
  connection.execute({});
}
