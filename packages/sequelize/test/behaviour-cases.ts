import type { OrmHarness } from '@indelible/capture/conformance';
import type { AuditEvent } from '@indelible/core';
import type { Sequelize } from 'sequelize';
import type { Domain } from './models.js';
import type { Audit } from './sequelize-operations.js';

export interface SequelizeHarness extends OrmHarness {
  readonly sequelize: Sequelize;
  readonly models: Domain;
  readonly audit: Audit;
  readonly url: string;
}

/** A test of Sequelize's own behaviours, the same on every database. */
export type BehaviourCase = readonly [name: string, run: (harness: SequelizeHarness) => Promise<void>];

export function actions(events: readonly AuditEvent[]): string[] {
  return events.map((event) => event.action).sort();
}

export function ids(events: readonly AuditEvent[]): (string | undefined)[] {
  return events.map((event) => event.resource?.id);
}
