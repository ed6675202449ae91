import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openRequest, requestSettings, runInScope, runWithContext, updateContext } from '@indelible/context';
import { type Audit, type AuditEvent, createAudit, createMemoryStore, readBody } from '@indelible/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPostgresDialect } from '../src/postgres/postgres-dialect.js';
import { RawReads } from '../src/reads/raw-reads.js';
import { ReadCollector } from '../src/reads/read-collector.js';
import type { ShownRows } from '../src/reads/shown-rows.js';

const NURSE = { type: 'user', id: 'nurse' } as const;

let audit: Audit;
let collector: ReadCollector;

beforeEach(() => {
  audit = createAudit({
    store: createMemoryStore(),
    hmacKey: 'a test secret of more than thirty-two bytes',
    lifecycleEvents: false,
    redaction: { fields: ['file'] },
  });
  collector = new ReadCollector(['Patient', 'Visit'], () => audit);
});

afterEach(() => audit.close());

function show(ids: readonly string[], more: Partial<ShownRows> = {}): void {
  void collector.note({ model: 'Patient', key: ['id'], ids, ...more });
}

/** What stands in the store, oldest first; nothing is flushed for it. */
async function stored(): Promise<readonly AuditEvent[]> {
  const page = await (await audit.store()).list({ limit: 100 });
  return page.map(({ body }) => readBody(body));
}

async function recorded(): Promise<readonly AuditEvent[]> {
  await audit.flush();
  return stored();
}

const seenBy = (event: AuditEvent) => [event.actor.id, event.details?.ids];

describe('what somebody is shown', () => {
  test('is on record when the scope ends, without a flush', async () => {
    await runWithContext({ actor: NURSE }, async () => {
      show(['1']);
      await new Promise((done) => setTimeout(done, 20));
      show(['2', '1']);
      expect(await stored()).toEqual([]);
    });
    await vi.waitFor(async () => expect((await stored()).map(seenBy)).toEqual([['nurse', ['1', '2']]]));
  });

  test('is on record with what had been collected when the audit is flushed, and the rest of it later', async () => {
    await runWithContext({ actor: NURSE }, async () => {
      show(['1']);
      expect((await recorded()).map(seenBy)).toEqual([['nurse', ['1']]]);
      show(['1', '2']);
    });
    expect((await recorded()).map(seenBy)).toEqual([
      ['nurse', ['1']],
      ['nurse', ['1', '2']],
    ]);
  });

  test('is on record when the audit is closed in the middle of a scope', async () => {
    const store = createMemoryStore();
    const own = createAudit({ store, lifecycleEvents: false, hmacKey: 'another secret of thirty-two bytes' });
    const other = new ReadCollector(['Patient'], () => own);
    await runWithContext({ actor: NURSE }, async () => {
      void other.note({ model: 'Patient', key: ['id'], ids: ['9'] });
      await own.close();
    });
    expect(await store.list({ limit: 10 })).toHaveLength(1);
  });

  test('is on record after a while where the scope does not end', async () => {
    collector = new ReadCollector(['Patient'], () => audit, 20);
    let end: () => void = () => undefined;
    const open = runWithContext({ actor: NURSE }, async () => {
      show(['1']);
      await new Promise<void>((done) => {
        end = done;
      });
    });
    await vi.waitFor(async () => expect((await stored()).map(seenBy)).toEqual([['nurse', ['1']]]));
    end();
    await open;
  });

  test('is told of each tenant in its own log', async () => {
    await runWithContext({ actor: NURSE, tenant: 'north' }, async () => {
      show(['1']);
      updateContext({ tenant: 'south' });
      show(['2']);
    });
    const events = await recorded();
    expect(events.map(({ log, details }) => [log, details?.ids])).toEqual([
      ['audit/north', ['1']],
      ['audit/south', ['2']],
    ]);
  });

  test('is told of the actor of an inner scope by itself', async () => {
    await runWithContext({ actor: NURSE }, async () => {
      show(['1']);
      await runWithContext({ actor: { type: 'system', id: 'letters' } }, async () => show(['2']));
    });
    expect((await recorded()).map(seenBy).toSorted()).toEqual([
      ['letters', ['2']],
      ['nurse', ['1']],
    ]);
  });

  test('tells no id where the key is a field that is redacted', async () => {
    show(['7041'], { key: ['file'] });
    show(['7042', '7043'], { key: ['file'] });
    const events = await recorded();
    expect(events).toHaveLength(2);
    expect(JSON.stringify(events)).not.toMatch(/704[123]/);
  });
});

describe('who is shown it', () => {
  test('is who signs in later in the same request, where nobody had yet', async () => {
    let user: typeof NURSE | undefined;
    await runWithContext({ actor: () => user ?? { type: 'anonymous', id: 'anonymous' } }, async () => {
      show(['1']);
      user = NURSE;
      show(['2']);
    });
    expect((await recorded()).map(seenBy)).toEqual([['nurse', ['1', '2']]]);
  });

  test('is who was signed in then, also where he signs out in the same request', async () => {
    let user: typeof NURSE | undefined = NURSE;
    await runWithContext({ actor: () => user ?? { type: 'anonymous', id: 'anonymous' } }, async () => {
      show(['1']);
      user = undefined;
    });
    expect((await recorded()).map(seenBy)).toEqual([['nurse', ['1']]]);
  });

  test('is each of two who act in one request', async () => {
    let user: { type: 'user'; id: string } = NURSE;
    await runWithContext({ actor: () => user }, async () => {
      show(['1']);
      user = { type: 'user', id: 'doctor' };
      show(['2']);
    });
    expect((await recorded()).map(seenBy)).toEqual([
      ['nurse', ['1']],
      ['doctor', ['2']],
    ]);
  });

  test('is found out by reading, without an end to it', async () => {
    let asked = 0;
    const actor = async () => {
      asked += 1;
      show(['nurse'], { model: 'Visit' });
      return NURSE;
    };
    await runWithContext({ actor }, async () => show(['1']));
    const events = await recorded();
    expect(events.map(seenBy)).toEqual([['nurse', ['1']]]);
    expect(asked).toBeLessThan(5);
  });
});

describe('in a request', () => {
  async function serve(handle: (req: IncomingMessage, res: ServerResponse) => Promise<void>): Promise<{
    readonly url: string;
    close(): Promise<void>;
  }> {
    const settings = requestSettings('test', { audit, record: 'none', actor: () => NURSE });
    const server = createServer((req, res) => {
      const scope = openRequest(req, req, res, settings);
      void runInScope(scope, () => handle(req, res));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${port}/patients`,
      close: () => new Promise((done) => server.close(() => done())),
    };
  }

  test('all that is read is one event a model, once the response has left', async () => {
    const app = await serve(async (_, res) => {
      for (let n = 0; n < 12; n += 1) show([String(n)]);
      show(['v1'], { model: 'Visit' });
      res.end('seen');
    });
    await (await fetch(app.url)).text();
    await vi.waitFor(async () => expect(await stored()).toHaveLength(2));
    const [patients, visits] = await stored();
    expect(patients?.details?.ids).toHaveLength(12);
    expect(visits?.resource).toEqual({ type: 'Visit', id: 'v1' });
    expect(patients?.context.requestId).toBe(visits?.context.requestId);
    expect(patients?.context.ip).toBe('127.0.0.1');
    await app.close();
  });

  test('what is read after the client has hung up is on record too', async () => {
    let isGone: () => void = () => undefined;
    const gone = new Promise<void>((done) => {
      isGone = done;
    });
    let isRead: () => void = () => undefined;
    const read = new Promise<void>((done) => {
      isRead = done;
    });
    const app = await serve(async (_, res) => {
      show(['1']);
      res.on('close', isGone);
      await gone;
      show(['2']);
      isRead();
    });
    const client = request(app.url);
    client.on('error', () => undefined);
    client.end();
    await vi.waitFor(() => expect(client.socket?.connecting).toBe(false));
    setTimeout(() => client.destroy(), 20);
    await read;
    await vi.waitFor(async () => {
      expect((await stored()).map(seenBy)).toEqual([
        ['nurse', ['1']],
        ['nurse', ['2']],
      ]);
    });
    await app.close();
  });
});

describe('raw SQL', () => {
  const noted: (readonly [string, string | undefined])[] = [];
  const tables = [{ model: 'Patient', key: ['id'], table: 'patients' }];
  const raw = () => {
    noted.length = 0;
    vi.spyOn(collector, 'note').mockImplementation(({ model, statement }) => {
      noted.push([model, statement]);
      return undefined;
    });
    return new RawReads(collector, createPostgresDialect(), () => tables);
  };

  test.each([
    [`SELECT * FROM patients WHERE name = 'Ada'`],
    [`  /* a comment */ select p.id from "patients" p`],
    [`(SELECT 1) UNION SELECT 2 FROM public.Patients`],
    [`WITH seen AS (SELECT * FROM patients) SELECT * FROM seen`],
    [`TABLE patients`],
    [`DECLARE c CURSOR FOR SELECT * FROM patients`],
  ])('that shows rows of the table is told: %s', (sql) => {
    void raw().note(sql);
    expect(noted.map(([model]) => model)).toEqual(['Patient']);
    expect(noted[0]?.[1]).not.toContain('Ada');
  });

  test.each([
    [`SELECT * FROM visits`],
    [`SELECT * FROM information_schema.columns WHERE table_name = 'patients'`],
    [`EXPLAIN SELECT * FROM patients`],
    [`UPDATE patients SET name = 'x' RETURNING *`],
    [`WITH gone AS (DELETE FROM patients RETURNING *) SELECT * FROM gone`],
  ])('that shows none, or is told as a write, is not: %s', (sql) => {
    void raw().note(sql);
    expect(noted).toEqual([]);
  });
});
