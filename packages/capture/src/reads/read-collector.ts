import { AsyncLocalStorage } from 'node:async_hooks';
import { type AuditScope, tryGetScope } from '@indelible/context';
import { type Actor, type AmbientContext, type Audit, registerFlusher, tryGetContext } from '@indelible/core';
import { OpenRead } from './open-read.js';
import type { ShownRows } from './shown-rows.js';

/** The list of a scope that goes on for long is recorded at the latest after so many milliseconds. */
const MAX_OPEN_MS = 5_000;

/** Set while an actor is asked for because of a read: what he is looked up by is not a read of his. */
const asking = new AsyncLocalStorage<true>();

type AskedActor = AmbientContext['actor'];

/** What one actor has been shown of one model in one scope. */
interface OpenList {
  readonly scope: AuditScope;
  readonly audit: Audit;
  readonly read: OpenRead;
  readonly tenant: string | undefined;
  /** A function where he is not known yet: it is asked when the event is made. */
  actor: AskedActor;
}

/**
 * Collects who was shown which rows, one event a scope and model, and records them when the scope ends. Outside of a scope
 * each call of the ORM is an event.
 *
 * Where the policy of the category `access` is `strict` nothing is collected: what a call would show is recorded before it is
 * shown, and where that fails the call does.
 */
export class ReadCollector {
  readonly #models: ReadonlySet<string>;
  readonly #open = new Set<OpenList>();
  readonly #byScope = new WeakMap<AuditScope, Map<string, OpenList>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    models: readonly string[],
    private readonly audit: () => Audit,
    private readonly maxOpenMs = MAX_OPEN_MS,
  ) {
    this.#models = new Set(models);
    registerFlusher(() => this.flush());
  }

  covers(model: string): boolean {
    return this.#models.has(model);
  }

  /**
   * Rows that are about to be handed to the caller of the ORM: MUST be awaited before they are.
   * @throws whatever recording throws under the policy `strict`, or rejects with it
   */
  note(shown: ShownRows): Promise<void> | undefined {
    if (shown.ids.length === 0 && (shown.unknown ?? 0) === 0 && shown.statement === undefined)
      return undefined;
    const ambient = tryGetContext();
    if (ambient?.paused === true || asking.getStore() === true) return undefined;
    const audit = this.audit();
    const scope = tryGetScope();
    if (audit.policy('access') === 'strict') return this.#recordNow(audit, scope, ambient, shown);
    // A scope of an older copy of the context package does not say when it ends.
    if (scope?.onEnd === undefined) post(audit, listOf(shown), ambient);
    else this.#listFor(audit, scope, ambient, shown).read.add(shown);
    return undefined;
  }

  /** Records what is collected so far. */
  flush(): void {
    for (const list of this.#open) this.#close(list);
  }

  async #recordNow(
    audit: Audit,
    scope: AuditScope | undefined,
    ambient: AmbientContext | undefined,
    shown: ShownRows,
  ): Promise<void> {
    const told = scope === undefined ? undefined : this.#toldIn(scope, ambient, shown);
    const fresh = told === undefined ? shown : told.without(shown);
    if (fresh === undefined) return;
    await asking.run(true, () => audit.record(listOf(fresh).event()));
    told?.add(fresh);
  }

  readonly #told = new WeakMap<AuditScope, Map<string, OpenRead>>();

  #toldIn(scope: AuditScope, ambient: AmbientContext | undefined, shown: ShownRows): OpenRead {
    const reads = getOrMake(this.#told, scope, () => new Map<string, OpenRead>());
    const actor = actorNow(ambient?.actor);
    const key = JSON.stringify([shown.model, ambient?.tenant, typeof actor === 'function' ? null : actor]);
    return getOrMake(reads, key, () => new OpenRead(shown.model, shown.key));
  }

  #listFor(
    audit: Audit,
    scope: AuditScope,
    ambient: AmbientContext | undefined,
    { model, key }: ShownRows,
  ): OpenList {
    const lists = getOrMake(this.#byScope, scope, () => new Map<string, OpenList>());
    const tenant = ambient?.tenant;
    const actor = actorNow(ambient?.actor);
    const isKnown = typeof actor !== 'function';
    const nameOf = (who: unknown): string => JSON.stringify([model, tenant, who]);
    const unknown = nameOf(null);
    const name = isKnown ? nameOf(actor ?? 0) : unknown;
    const waiting = isKnown ? lists.get(unknown) : undefined;
    if (waiting !== undefined && !lists.has(name)) {
      // Whoever was nobody yet has said who he is.
      waiting.actor = actor;
      lists.delete(unknown);
      lists.set(name, waiting);
    }
    return getOrMake(lists, name, () => {
      const list: OpenList = { scope, audit, read: new OpenRead(model, key), tenant, actor };
      this.#open.add(list);
      scope.onEnd?.(() => this.#close(list));
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.flush();
      }, this.maxOpenMs);
      return list;
    });
  }

  #close(list: OpenList): void {
    if (!this.#open.delete(list)) return;
    const lists = this.#byScope.get(list.scope);
    for (const [name, own] of lists ?? []) if (own === list) lists?.delete(name);
    if (this.#open.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    const { scope, audit, read, tenant, actor } = list;
    const context = scope.context();
    const isTold = tenant !== undefined && context.fixedTenant === undefined;
    const at = { ...context, ...(isTold ? { tenant } : {}) };
    const { actor: _, ...nobody } = at;
    post(audit, read, actor === undefined ? nobody : { ...nobody, actor });
  }
}

function listOf(shown: ShownRows): OpenRead {
  const read = new OpenRead(shown.model, shown.key);
  read.add(shown);
  return read;
}

function post(audit: Audit, read: OpenRead, ambient: AmbientContext | undefined): void {
  asking.run(true, () => audit.recordLater(read.event(), ambient));
}

/**
 * Who acts now, where that is known at once; else the function that knows it later. Somebody who is not signed in yet may say
 * in the same request who he is.
 */
function actorNow(actor: AskedActor): AskedActor {
  if (typeof actor !== 'function') return actor;
  try {
    const answer: unknown = asking.run(true, actor);
    if (typeof answer !== 'object' || answer === null) return actor;
    if ('then' in answer && typeof answer.then === 'function') {
      Promise.resolve(answer).catch(() => undefined);
      return actor;
    }
    return isSomebody(answer) ? answer : actor;
  } catch {
    // Core asks again, and says so on the event.
    return actor;
  }
}

function isSomebody(value: object): value is Actor {
  return 'type' in value && 'id' in value && value.type !== 'anonymous';
}

function getOrMake<K extends object | string, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
