import type { AmbientContext } from './context-provider.js';
import type { EventInput, PreparedEvent } from './event.js';
import { type PrepareSettings, prepareEvent } from './prepare-event.js';
import { markActorFailed, type ResolvedAmbient, resolveAmbient } from './resolve-context.js';
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
    // Nobody is asked for an actor that the event names itself.
    const asks = typeof ambient?.actor === 'function' && inputs.some((input) => input.actor === undefined);
    const known = asks ? ambient : withoutActorFunction(ambient);
    const resolved = resolveAmbient(known, this.actorTimeoutMs, this.report);
    const validated = inputs.map((input) => validateDetails(this.settings.catalogue, input));
    if (resolved instanceof Promise || validated.some((input) => input instanceof Promise)) {
      return Promise.all([resolved, Promise.all(validated)]).then(([at, checked]) =>
        this.finish(checked, at),
      );
    }
    // `some` above has looked at each of them.
    return this.finish(validated as EventInput[], resolved);
  }

  private finish(inputs: readonly EventInput[], at: ResolvedAmbient): readonly PreparedEvent[] {
    return inputs.map((input) =>
      prepareEvent(at.failed ? markActorFailed(input) : input, at.context, this.settings),
    );
  }
}

function withoutActorFunction(ambient: AmbientContext | undefined): AmbientContext | undefined {
  if (typeof ambient?.actor !== 'function') return ambient;
  const { actor: _, ...context } = ambient;
  return context;
}
