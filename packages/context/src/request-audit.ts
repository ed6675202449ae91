import type { AmbientContext, EventInput, Recorded, RecordOptions } from '@indelible/core';
import type { ContextPatch } from './audit-scope.js';
import type { RequestActor } from './request-actor.js';

/** What a framework package puts on its request as `audit`. It stays bound to the request, also after the response. */
export interface RequestAudit {
  /** The well-formed id that came with the request, else a fresh one. */
  readonly requestId: string;
  /** The context of this request, made at each call. */
  context(): AmbientContext;
  /** Records an event in this request's context. */
  record(input: EventInput, options?: RecordOptions): Promise<Recorded>;
  /** Says who acts, in place of what the `actor` option or the request's user says. */
  setActor(actor: RequestActor): void;
  /** Changes the request's context: the tenant, once it is known. */
  update(patch: ContextPatch): void;
}
