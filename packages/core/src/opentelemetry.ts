import type { Audit } from './audit.js';
import type { Health, RelayHealth } from './health.js';

/** An instrument that a meter has made. Nothing is asked of it. */
export type ObservedInstrument = object;

export interface InstrumentDescription {
  readonly description: string;
  readonly unit: string;
}

/** What a meter hands to a callback when it collects. */
export interface ObservationResult {
  observe(instrument: ObservedInstrument, value: number, attributes?: Readonly<Record<string, string>>): void;
}

/** The part of OpenTelemetry's `Meter` that is used, by its form: the meter of any `@opentelemetry/api` from 1.3 on fits. */
export interface AuditMeter {
  createObservableCounter(name: string, options: InstrumentDescription): ObservedInstrument;
  createObservableUpDownCounter(name: string, options: InstrumentDescription): ObservedInstrument;
  createObservableGauge(name: string, options: InstrumentDescription): ObservedInstrument;
  addBatchObservableCallback(
    callback: (result: ObservationResult) => void,
    instruments: ObservedInstrument[],
  ): void;
  removeBatchObservableCallback(
    callback: (result: ObservationResult) => void,
    instruments: ObservedInstrument[],
  ): void;
}

export interface ObserveOptions {
  /** On every measurement, to tell several audits of one process apart. @default none */
  readonly attributes?: Readonly<Record<string, string>>;
}

type Kind = 'counter' | 'level' | 'gauge';

/** One instrument and what it reads. */
type Reading<S> = readonly [
  name: string,
  kind: Kind,
  unit: string,
  description: string,
  read: (source: S) => number,
];

const READINGS: readonly Reading<Health>[] = [
  ['indelible.events.recorded', 'counter', '{event}', 'Events that are durable.', (h) => h.recorded],
  ['indelible.events.sealed', 'counter', '{event}', 'Entries that this process made.', (h) => h.sealed],
  ['indelible.events.lost', 'counter', '{event}', 'Events that were kept nowhere.', (h) => h.lost],
  [
    'indelible.events.replayed',
    'counter',
    '{event}',
    'Spooled events brought to the store.',
    (h) => h.replayed,
  ],
  [
    'indelible.failures',
    'counter',
    '{failure}',
    'Failures, those that reached a caller too.',
    (h) => h.failures,
  ],
  ['indelible.events.pending', 'level', '{event}', 'Events not durable or not sealed yet.', (h) => h.pending],
  ['indelible.events.spooled', 'level', '{event}', 'Events in spool files.', (h) => h.spooled],
  ['indelible.spool.size', 'level', 'By', 'Bytes of these files.', (h) => h.spooledBytes],
  [
    'indelible.pending.age',
    'gauge',
    's',
    'How long the oldest event waits.',
    (h) => seconds(h.oldestPendingMs),
  ],
  [
    'indelible.spool.age',
    'gauge',
    's',
    'How old the oldest spool file is.',
    (h) => seconds(h.oldestSpooledMs),
  ],
  ['indelible.ok', 'gauge', '1', '0 since the last failure, until things went well.', (h) => (h.ok ? 1 : 0)],
];

const RELAY_READINGS: readonly Reading<RelayHealth>[] = [
  ['indelible.relay.moved', 'counter', '{event}', 'Events brought from an outbox.', (r) => r.moved],
  ['indelible.relay.waiting', 'level', '{event}', 'Own events in the outbox.', (r) => r.waiting],
  ['indelible.relay.refused', 'level', '{event}', 'Events that no store takes.', (r) => r.refused],
  ['indelible.relay.age', 'gauge', 's', 'How long the oldest one waits.', (r) => seconds(r.oldestWaitingMs)],
];

/**
 * Tells an OpenTelemetry meter how an audit is: the counters and levels of `audit.health()`, read once for each collection and
 * from nothing but memory. What waits for nothing has the age 0. An audit that is closed keeps its last counters.
 *
 * @returns ends it
 * @throws TypeError for a meter that is none
 * @example
 * import { metrics } from '@opentelemetry/api';
 * const stop = observeAudit(metrics.getMeter('my-app'), getAudit());
 */
export function observeAudit(meter: AuditMeter, audit: Audit, options: ObserveOptions = {}): () => void {
  if (typeof meter?.addBatchObservableCallback !== 'function') {
    throw new TypeError('[indelible/core] meter: expected a Meter of @opentelemetry/api, 1.3 or later');
  }
  const attributes = { ...options.attributes };
  const make = <S>([name, kind, unit, description]: Reading<S>): ObservedInstrument => {
    const told = { unit, description };
    if (kind === 'counter') return meter.createObservableCounter(name, told);
    return kind === 'level'
      ? meter.createObservableUpDownCounter(name, told)
      : meter.createObservableGauge(name, told);
  };
  const instruments = READINGS.map(make);
  const ofRelay = audit.health().relay === null ? [] : RELAY_READINGS.map(make);
  const observe = (result: ObservationResult): void => {
    const health = audit.health();
    const { relay } = health;
    for (const [at, instrument] of instruments.entries()) {
      result.observe(instrument, READINGS[at]?.[4](health) ?? 0, attributes);
    }
    if (relay === null) return;
    for (const [at, instrument] of ofRelay.entries()) {
      result.observe(instrument, RELAY_READINGS[at]?.[4](relay) ?? 0, attributes);
    }
  };
  const all = [...instruments, ...ofRelay];
  meter.addBatchObservableCallback(observe, all);
  return () => meter.removeBatchObservableCallback(observe, all);
}

function seconds(milliseconds: number | null): number {
  return milliseconds === null ? 0 : milliseconds / 1_000;
}
