import type { CaptureConnection } from '../dialect.js';
import type { PostgresSchema } from './postgres-schema.js';

/** Follows what names mean on one connection, and what its role may do: `SCOPE_EXPRESSION` tells it. */
export class SessionScope {
  #scope: string | undefined;
  /** The connection has left the scope in which it began. */
  #hasMoved = false;

  constructor(private readonly schema: PostgresSchema) {}

  async now(connection: CaptureConnection): Promise<string> {
    this.#scope ??= await (this.#hasMoved
      ? this.schema.readScope(connection)
      : this.schema.guessScope(connection));
    return this.#scope;
  }

  /** @returns false where it is another scope than was thought */
  note(scope: unknown): boolean {
    const told = String(scope);
    const isSame = told === this.#scope;
    this.#scope = told;
    if (!this.#hasMoved) this.schema.noteScope(told);
    return isSame;
  }

  forget(): void {
    this.#scope = undefined;
  }

  /** A statement runs next behind which it may be another one. */
  moves(): void {
    this.#hasMoved = true;
    this.#scope = undefined;
  }

  /** A savepoint was rolled back: what it may have taken back of the schema the next statement tells. */
  returns(): void {
    if (this.#hasMoved) this.#scope = undefined;
  }

  renew(): void {
    this.#hasMoved = false;
    this.#scope = undefined;
  }
}
