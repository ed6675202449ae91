import type { SqlValue } from '../dialect.js';
import type { PgConnection, PgQuery } from './statement-bundle.js';

type Settle = (error: unknown, count?: number) => void;

/** A statement of the engine's own in the extended protocol. Its rows are not asked for, only how many there were. */
export class EngineQuery implements PgQuery {
  #count = 0;

  constructor(
    readonly text: string,
    private readonly params: readonly SqlValue[],
    /** Under which the server keeps it prepared. @default it is parsed anew */
    readonly name: string | undefined,
    private readonly settle: Settle,
  ) {}

  submit(connection: PgConnection): null {
    const { name, text, params } = this;
    const isKept =
      name !== undefined &&
      (connection.parsedStatements?.[name] ?? connection.submittedNamedStatements?.[name]) !== undefined;
    if (!isKept) {
      connection.parse(name === undefined ? { text } : { text, name });
      if (name !== undefined && connection.submittedNamedStatements !== undefined)
        connection.submittedNamedStatements[name] = text;
    }
    connection.bind({ ...(name === undefined ? {} : { statement: name }), values: params.map(toWire) });
    connection.execute({});
    connection.sync();
    return null;
  }

  handleCommandComplete(message: unknown): void {
    const tag: unknown =
      typeof message === 'object' && message !== null ? Reflect.get(message, 'text') : undefined;
    this.#count = Number(/\d+$/.exec(String(tag))?.[0] ?? 0);
  }

  handleReadyForQuery(): void {
    this.settle(undefined, this.#count);
  }

  handleError(error: unknown): void {
    this.settle(error);
  }

  handleRowDescription(): void {}

  handleDataRow(): void {}

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleCopyInResponse(): void {}

  handleCopyData(): void {}
}

/** Bytes in the binary format, everything else as text. */
function toWire(value: SqlValue): string | Buffer | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return String(value);
}
