import type { AmbientContext } from './context-provider.js';
import type { EventInput, PreparedEvent } from './event.js';
import { invalidEvent } from './event-text.js';
import { type PrepareSettings, prepareEvent } from './prepare-event.js';
import {
  actorFailed,
  markActorFailed,
  type ResolvedAmbient,
  resolveAmbient,
  UNKNOWN_ACTOR,
} from './resolve-context.js';
import { validateDetails } from './validate-details.js';

/** Makes events ready to store; at once where neither the actor nor a schema has to be waited for. */
export class EventPreparer {
  constructor(
    private readonly settings: PrepareSettings,
    private readonly actorTimeoutMs: number,
    private readonly report: (error: Error) => void,
  ) {}

  /** @throws AuditError `AUDIT_EVENT_INVALID`, `AUDIT_ACTION_UNKNOWN`, `AUDIT_DETAILS_INVALID`, `AUDIT_ACTOR_MISSING`, or rejects with it */
  prepare(
    inputs: readonly EventInput[],
    ambient: AmbientContext | undefined,
  ): readonly PreparedEvent[] | Promise<readonly PreparedEvent[]> {
    for (const input of inputs) {
      if (typeof input !== 'object' || input === null) throw invalidEvent('action', '`resource.verb`');
    }
    const actor = ambient?.actor;
    // Nobody is asked for an actor that the event names itself.
    const asks = typeof actor === 'function' && inputs.some((input) => input.actor === undefined);
    const resolved = asks
      ? resolveAmbient(ambient ?? {}, actor, this.actorTimeoutMs, this.report)
      : { context: ambient ?? {}, actor: typeof actor === 'function' ? undefined : actor, failed: false };
    const validated = inputs.map((input) => validateDetails(this.settings.catalogue, input));
    if (resolved instanceof Promise || validated.some((input) => input instanceof Promise)) {
      return Promise.all([resolved, Promise.all(validated)]).then(([at, checked]) =>
        checked.map((input) => this.make(input, at, asks)),
      );
    }
    return validated.map((input) => {
      // `some` above has looked at each of them.
      if (input instanceof Promise) throw new TypeError('an event is still being checked');
      return this.make(input, resolved, asks);
    });
  }

  private make(input: EventInput, at: ResolvedAmbient, asked: boolean): PreparedEvent {
    if (at.failed) return prepareEvent(markActorFailed(input), at, this.settings);
    try {
      return prepareEvent(input, at, this.settings);
    } catch (error) {
      if (!asked || input.actor !== undefined || at.actor === undefined) throw error;
      // What the actor function gave may be no actor. If the event is fine but for that, it is kept.
      const unknown = { ...at, actor: UNKNOWN_ACTOR };
      const event = prepareEvent(markActorFailed(input), unknown, this.settings);
      this.report(actorFailed(error));
      return event;
    }
  }
}
