/** Statements that one connection keeps prepared are never given up before it ends: each takes memory on the server. */
const MAX_NAMES = 100;
const MAX_TEXTS = 1_000;
/** So often something took prepared statements away: from then on none are kept. */
const MAX_LOSSES = 3;

// invalid_sql_statement_name, duplicate_prepared_statement
const LOST = new Set(['26000', '42P05']);
// feature_not_supported: the cached plan must not change its result type
const CHANGED = '0A000';

/** What is known of one connection. */
interface Kept {
  generation: number;
  /** Undefined: nobody has asked yet. */
  isDirect: boolean | undefined;
  readonly names: Map<string, string>;
  /** Texts that came once. */
  readonly once: Set<string>;
  /** The number of names that it was ever given. */
  made: number;
}

/**
 * Names by which the connections of one pool keep statements prepared that the engine has rewritten: parsing and planning
 * them costs several times what running them does. A statement is prepared when it comes for the second time, and only where
 * a connection of the driver is one of the server, which keeps prepared statements with it: behind a pooler in transaction
 * mode the next transaction may run on another one.
 */
export class PreparedNames {
  readonly #connections = new WeakMap<object, Kept>();
  #generation = 0;
  #losses = 0;
  /** The application keeps statements prepared itself, and knows that it can. */
  isTrusted = false;

  /** True where it has to be asked which process of the server answers on the connection. */
  asks(connection: object): boolean {
    return this.#losses < MAX_LOSSES && this.#keptOf(connection).isDirect === undefined;
  }

  /**
   * @param told the process that the driver was told of when it connected
   * @param answers the process that has answered
   */
  answered(connection: object, told: unknown, answers: unknown): void {
    this.#keptOf(connection).isDirect = typeof told === 'number' && told > 0 && Number(answers) === told;
  }

  /** @returns undefined where the statement is to be parsed anew */
  nameOf(connection: object, text: string): string | undefined {
    if (this.#losses >= MAX_LOSSES) return undefined;
    const { names, once, isDirect } = this.#keptOf(connection);
    const known = names.get(text);
    if (known !== undefined) return known;
    if ((isDirect !== true && !this.isTrusted) || names.size >= MAX_NAMES) return undefined;
    if (!once.delete(text)) {
      if (once.size >= MAX_TEXTS) once.clear();
      once.add(text);
      return undefined;
    }
    const kept = this.#keptOf(connection);
    kept.made += 1;
    const name = `indelible_${kept.made}`;
    names.set(text, name);
    return name;
  }

  /**
   * A statement has failed under such a name.
   * @returns true where it may go well without one
   */
  failed(error: unknown): boolean {
    const code = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
    if (typeof code !== 'string' || !(LOST.has(code) || code === CHANGED)) return false;
    if (LOST.has(code)) this.#losses += 1;
    // Whatever happened to one of them, a change of a table or a DEALLOCATE ALL, may have happened to all.
    this.#generation += 1;
    return true;
  }

  #keptOf(connection: object): Kept {
    const known = this.#connections.get(connection);
    if (known?.generation === this.#generation) return known;
    const kept: Kept = {
      generation: this.#generation,
      isDirect: known?.isDirect,
      names: new Map(),
      once: new Set(),
      made: known?.made ?? 0,
    };
    this.#connections.set(connection, kept);
    return kept;
  }
}
