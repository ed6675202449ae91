import type { Catalogue } from './catalogue.js';
import type { Actor, EventContext, EventInput, PreparedEvent } from './event.js';
import type { Redactor } from './redactor.js';

/** The ambient context once its actor is known. */
export interface ResolvedContext extends EventContext {
  readonly actor?: Actor | undefined;
}

/** What of an audit's configuration goes into an event's bytes. */
export interface PrepareSettings {
  readonly origin: string;
  readonly redactor: Redactor;
  readonly maxEventBytes: number;
  readonly maxBinaryBytes: number;
  readonly onMissingActor: 'system' | 'throw';
  readonly catalogue: Catalogue;
}

export function prepareEvent(
  input: EventInput,
  ambient: ResolvedContext,
  settings: PrepareSettings,
): PreparedEvent {
  throw new TypeError(`not written yet ${typeof input} ${typeof ambient} ${typeof settings}`);
}
