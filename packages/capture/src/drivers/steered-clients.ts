import type { AmbientContext, EventInput } from '@indelible/core';

/** A connection of a driver, with the engine on it. */
export interface SteeredClient {
  /** Adds events to the transaction that is open on it. @returns their ids; undefined where none is open */
  join(
    inputs: readonly EventInput[],
    ambient: AmbientContext | undefined,
  ): Promise<readonly string[] | undefined>;
}

const steered = new WeakMap<object, SteeredClient>();

/** By the driver's connection, which is what the transaction of an ORM knows. */
export function noteSteered(connection: object, client: SteeredClient): void {
  steered.set(connection, client);
}

export function tryGetSteered(connection: unknown): SteeredClient | undefined {
  return typeof connection === 'object' && connection !== null ? steered.get(connection) : undefined;
}
