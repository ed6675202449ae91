import { defineActions } from '../src/catalogue.js';
import type { Actor, AuditEvent, EventContext, EventInput } from '../src/event.js';
import { type PrepareSettings, prepareEvent } from '../src/prepare-event.js';
import { readBody } from '../src/read-body.js';
import type { RedactionOptions } from '../src/redaction.js';
import { createRedactor } from '../src/redactor.js';

export const KEY = new Uint8Array(32).fill(7);
export const ADA = { type: 'user', id: 'ada' } as const;
export const MASKED = { $indelible: 'masked' };
export const LOGIN: EventInput = { action: 'auth.login', actor: ADA };

export function settings(
  own: Partial<PrepareSettings> = {},
  redaction: RedactionOptions = {},
): PrepareSettings {
  return {
    origin: 'audit',
    redactor: createRedactor(redaction, KEY),
    maxEventBytes: 65_536,
    maxBinaryBytes: 1_024,
    onMissingActor: 'system',
    catalogue: defineActions({}),
    ...own,
  };
}

export function make(
  input: EventInput,
  ambient: EventContext & { readonly actor?: Actor } = {},
  own = settings(),
): AuditEvent {
  return readBody(prepareEvent(input, { context: ambient, actor: ambient.actor }, own).body);
}
