import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test } from 'vitest';
import { createMemoryStore } from '../src/memory-store.js';
import { type AuditMeter, observeAudit } from '../src/opentelemetry.js';
import { createFaultyStore } from './faulty-store.js';
import { eventually, openAudit } from './open-audit.js';

const LOGIN = { action: 'auth.login', resource: { type: 'User', id: 'ada' } } as const;
const INVOICE = { action: 'invoice.sent', category: 'data' } as const;

/** A meter of the real SDK, and what it has when it collects: a value by instrument and attributes. */
function openMeter() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const collect = async () => {
    exporter.reset();
    await reader.forceFlush();
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    return metrics.flatMap((scope) => scope.metrics);
  };
  return {
    meter: provider.getMeter('tests'),
    collect,
    values: async () => {
      const all = (await collect()).flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ value, attributes }) => {
          const told = Object.values(attributes).join();
          return [told === '' ? descriptor.name : `${descriptor.name} ${told}`, value] as const;
        }),
      );
      return Object.fromEntries(all);
    },
  };
}

test('a meter of OpenTelemetry is told what health says, through an outage and after it', async () => {
  const faulty = createFaultyStore();
  const { audit } = openAudit({ store: faulty.store, sealAfterMs: false, policy: { request: 'continue' } });
  const { meter, values } = openMeter();
  observeAudit(meter, audit);
  expect(await values()).toEqual({
    'indelible.events.recorded': 0,
    'indelible.events.sealed': 0,
    'indelible.events.lost': 0,
    'indelible.events.replayed': 0,
    'indelible.failures': 0,
    'indelible.events.pending': 0,
    'indelible.events.spooled': 0,
    'indelible.spool.size': 0,
    'indelible.pending.age': 0,
    'indelible.spool.age': 0,
    'indelible.ok': 1,
  });
  await audit.record(LOGIN);
  faulty.mood = 'down';
  await audit.record(LOGIN);
  await expect(audit.record(INVOICE)).rejects.toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
  expect((await audit.record({ action: 'request.completed', category: 'request' })).where).toBe('lost');
  await new Promise((resolve) => setTimeout(resolve, 20));
  const down = await values();
  expect(down).toMatchObject({
    'indelible.events.recorded': 2,
    'indelible.events.sealed': 0,
    'indelible.events.lost': 1,
    'indelible.events.pending': 1,
    'indelible.events.spooled': 1,
    'indelible.ok': 0,
  });
  expect(down['indelible.failures']).toBeGreaterThanOrEqual(3);
  expect(down['indelible.failures']).toBe(audit.health().failures);
  expect(down['indelible.spool.size']).toBe(audit.health().spooledBytes);
  // Seconds, and not milliseconds.
  for (const name of ['indelible.pending.age', 'indelible.spool.age']) {
    expect(down[name]).toBeGreaterThanOrEqual(0.02);
    expect(down[name]).toBeLessThan(15);
  }
  faulty.mood = 'up';
  await audit.flush();
  await eventually(() => audit.health().ok, 'it works again');
  await audit.seal();
  expect(await values()).toMatchObject({
    // The gap is an event too.
    'indelible.events.recorded': 2,
    'indelible.events.sealed': 3,
    'indelible.events.lost': 1,
    'indelible.events.replayed': 1,
    'indelible.events.pending': 0,
    'indelible.events.spooled': 0,
    'indelible.spool.size': 0,
    'indelible.pending.age': 0,
    'indelible.spool.age': 0,
    'indelible.ok': 1,
  });
});

test('what only grows is a counter, what goes up and down is not, and each has its unit', async () => {
  const { audit } = openAudit({ store: createMemoryStore() });
  const { meter, collect } = openMeter();
  observeAudit(meter, audit);
  const kinds = new Map((await collect()).map((metric) => [metric.descriptor.name, metric]));
  for (const name of ['recorded', 'sealed', 'lost', 'replayed']) {
    expect(kinds.get(`indelible.events.${name}`)).toMatchObject({
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      descriptor: { unit: '{event}' },
    });
  }
  expect(kinds.get('indelible.failures')).toMatchObject({ isMonotonic: true });
  for (const name of ['indelible.events.pending', 'indelible.events.spooled', 'indelible.spool.size']) {
    expect(kinds.get(name)).toMatchObject({ dataPointType: DataPointType.SUM, isMonotonic: false });
  }
  for (const name of ['indelible.pending.age', 'indelible.spool.age']) {
    expect(kinds.get(name)).toMatchObject({
      dataPointType: DataPointType.GAUGE,
      descriptor: { unit: 's' },
    });
  }
});

test('one collection reads health once and asks the store nothing', async () => {
  const faulty = createFaultyStore();
  const { audit } = openAudit({ store: faulty.store });
  faulty.mood = 'hanging';
  let readings = 0;
  const counted: typeof audit = Object.create(audit, {
    health: {
      value: () => {
        readings += 1;
        return audit.health();
      },
    },
  });
  const { meter, values } = openMeter();
  observeAudit(meter, counted);
  readings = 0;
  expect((await values())['indelible.ok']).toBe(1);
  expect(readings).toBe(1);
  faulty.mood = 'up';
});

test('two audits of one meter are told apart by their attributes, and one can be ended alone', async () => {
  const { meter, values } = openMeter();
  const [one, other] = [1, 2].map(() => openAudit({ store: createMemoryStore() }).audit);
  if (one === undefined || other === undefined) throw new Error('two were opened');
  const stop = observeAudit(meter, one, { attributes: { audit: 'billing' } });
  observeAudit(meter, other, { attributes: { audit: 'clinic' } });
  await one.recordAll([LOGIN, LOGIN]);
  await other.record(LOGIN);
  expect(await values()).toMatchObject({
    'indelible.events.recorded billing': 2,
    'indelible.events.recorded clinic': 1,
  });
  stop();
  await one.record(LOGIN);
  const left = await values();
  expect(left['indelible.events.recorded clinic']).toBe(1);
  expect(left['indelible.events.recorded billing']).not.toBe(3);
});

test('an audit that is closed still tells what it had', async () => {
  const { audit } = openAudit({ store: createMemoryStore() });
  const { meter, values } = openMeter();
  observeAudit(meter, audit);
  await audit.record(LOGIN);
  await audit.close();
  expect(await values()).toMatchObject({ 'indelible.events.recorded': 1, 'indelible.events.sealed': 1 });
});

test('where events are relayed the outbox is told too', async () => {
  const { audit } = openAudit({ store: createMemoryStore(), relay: 'own' });
  const { meter, values } = openMeter();
  observeAudit(meter, audit);
  expect(await values()).toMatchObject({
    'indelible.relay.moved': 0,
    'indelible.relay.waiting': 0,
    'indelible.relay.refused': 0,
    'indelible.relay.age': 0,
  });
});

test('something that is no meter is refused at once', () => {
  const { audit } = openAudit({ store: createMemoryStore() });
  expect(() => observeAudit({} as AuditMeter, audit)).toThrow(TypeError);
});
