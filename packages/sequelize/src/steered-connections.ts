import type { SteeredConnection } from '@indelible/capture';

const steered = new WeakMap<object, SteeredConnection>();

/** By the driver's connection, which is what a transaction of Sequelize knows. */
export function noteSteered(connection: object, by: SteeredConnection): void {
  steered.set(connection, by);
}

export function tryGetSteered(connection: unknown): SteeredConnection | undefined {
  return typeof connection === 'object' && connection !== null ? steered.get(connection) : undefined;
}
