import type { PreparedEvent } from './event.js';
import { type PrepareSettings, prepareEvent } from './prepare-event.js';

const ITSELF = Object.freeze({ type: 'system', id: 'indelible' } as const);

export interface OwnEventPlace {
  readonly tenant?: string | undefined;
  /** Where it has to stand beside events of this log. @default that of the tenant */
  readonly log?: string;
}

/** An event of the audit itself. */
export function makeOwnEvent(
  settings: PrepareSettings,
  action: string,
  details: Readonly<Record<string, unknown>>,
  { tenant, log }: OwnEventPlace = {},
): PreparedEvent {
  return prepareEvent(
    { action, category: 'system', actor: ITSELF, details, context: tenant === undefined ? {} : { tenant } },
    { context: {}, actor: undefined },
    log === undefined ? settings : { ...settings, logs: { of: () => log } },
  );
}
