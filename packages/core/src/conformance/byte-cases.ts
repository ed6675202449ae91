import assert from 'node:assert/strict';
import { sampleEvent } from './sample-event.js';
import { collect, type StoreCases, sameBytes, sealAll } from './store-session.js';

const utf8 = new TextEncoder();

const BODIES: Readonly<Record<string, Uint8Array>> = {
  'every byte value': Uint8Array.from({ length: 512 }, (_, at) => at % 256),
  'invalid UTF-8': Uint8Array.of(0x7b, 0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf5, 0x7d),
  'nothing but a NUL': Uint8Array.of(0),
  'a NUL in the middle': utf8.encode('{"a":"b\u0000c"}'),
  'a byte order mark and line ends': utf8.encode('\ufeff{"a":\r\n1}\r\n'),
  'trailing spaces': utf8.encode('{} \t  '),
  'one byte': Uint8Array.of(0x31),
  'quotes, percent signs and comments': utf8.encode(
    `{"a":"'; DROP TABLE audit_event; -- /* */ %s $1 ? \\\\"}`,
  ),
  'characters beyond the basic plane': utf8.encode('{"a":"𝒜🧑‍⚕️é é"}'),
  'numbers that a JSON column would rewrite': utf8.encode('{"b":1.0,"a":1e2,"n":12345678901234567890,"b":2}'),
  'one megabyte': Uint8Array.from({ length: 1_048_576 }, (_, at) => (at * 31 + (at >> 8)) % 256),
};

export const byteCases: StoreCases = {
  'bodies come back byte for byte, whatever they hold': async (session) => {
    const store = await session.ready();
    const events = Object.values(BODIES).map((body, at) => sampleEvent(at, { body }));
    await store.append(events);
    const raw = new Map((await session.snapshot()).events.map((row) => [row.id, row]));
    const waiting = new Map((await collect(store.pending('audit'))).map((event) => [event.id, event]));
    for (const [at, what] of Object.keys(BODIES).entries()) {
      const event = events[at];
      assert.ok(event !== undefined);
      const readings = [raw.get(event.id), waiting.get(event.id), await store.find(event.id)];
      for (const reading of readings) {
        assert.ok(reading, `${what} is gone`);
        sameBytes(reading.body, event.body, what);
        sameBytes(reading.leaf, event.leaf, `the leaf of ${what}`);
      }
    }
  },

  'the sealer and the readers of entries get the stored bytes too': async (session) => {
    const store = await session.ready();
    const events = Object.values(BODIES).map((body, at) => sampleEvent(at, { body }));
    await store.append(events);
    await sealAll(store, 'audit', 3);
    const entries = await collect(store.entries('audit'));
    assert.equal(entries.length, events.length);
    for (const [at, event] of events.entries()) {
      const entry = entries[at];
      assert.ok(entry?.event, `the event of entry ${at}`);
      sameBytes(entry.event.body, event.body, `the body of entry ${at}`);
      sameBytes(entry.leaf, event.leaf, `the leaf of entry ${at}`);
    }
  },

  'an empty body is a body': async (session) => {
    const store = await session.ready();
    const event = sampleEvent(1, { body: new Uint8Array(0) });
    await store.append([event]);
    const found = await store.find(event.id);
    assert.ok(found);
    assert.equal(found.body.length, 0);
    assert.deepEqual(await store.append([event]), { appended: 0, duplicates: 1 });
  },

  'columns keep quotes, line ends, emoji, long values and the empty string, which is not null': async (
    session,
  ) => {
    const store = await session.ready();
    const columns = {
      actorId: `O'Hara "\\%s\n\r\t; --`,
      resourceId: '{"a":1,"b":"🧑‍⚕️"}',
      resourceType: 'Größe',
      tenant: '',
      requestId: 'x'.repeat(4_000),
      ip: null,
    };
    const event = sampleEvent(1, { columns });
    await store.append([event]);
    const expected = { ...event.columns };
    assert.deepEqual({ ...(await store.find(event.id))?.columns }, expected);
    assert.deepEqual({ ...(await session.snapshot()).events[0]?.columns }, expected);
  },

  'a body that was altered in the database is read as it stands there': async (session) => {
    const store = await session.ready();
    await store.append([sampleEvent(1)]);
    const forged = utf8.encode('{"forged":true}');
    await session.harness.raw.setBody(sampleEvent(1).id, forged);
    const found = await store.find(sampleEvent(1).id);
    assert.ok(found);
    sameBytes(found.body, forged, 'the altered body');
    sameBytes(found.leaf, sampleEvent(1).leaf, 'the leaf that was written with the event');
    const [waiting] = await collect(store.pending('audit'));
    assert.ok(waiting);
    sameBytes(waiting.body, forged, 'the altered body in pending');
  },
};
