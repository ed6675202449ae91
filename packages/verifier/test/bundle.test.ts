import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bundleOf,
  checkpointOf,
  entriesOf,
  eventOf,
  eventsOf,
  gzip,
  leafOf,
  makeKey,
  rootOf,
  tarOf,
} from './evidence.js';
import { codes, temporaryDirectory, verified } from './verified.js';

const LOG = 'audit/north';
const KEY = makeKey(LOG);
const POLICY = `log ${KEY.vkey}\n`;

function bundle(bodies: readonly string[], each?: number): Buffer {
  return gzip(tarOf(bundleOf(checkpointOf(LOG, bodies, KEY), entriesOf(bodies, each))));
}

/** What somebody claims who shows other bodies than were signed. */
function claimed(signed: readonly string[], shown: readonly string[]): Buffer {
  return tarOf(bundleOf(checkpointOf(LOG, signed, KEY), entriesOf(shown)));
}

describe('a bundle', () => {
  it('that was signed is valid, and says what it does not show', async () => {
    const verdict = await verified(bundle(eventsOf(LOG, 7)), POLICY);
    expect(verdict).toMatchObject({ result: 'valid', kind: 'bundle', entries: 7, findings: [], anchors: [] });
    expect(verdict.checkpoint).toEqual({
      origin: LOG,
      size: 7,
      root: rootOf(eventsOf(LOG, 7).map(leafOf)).toString('hex'),
      signers: [LOG],
      witnesses: [],
    });
    expect(verdict.notChecked.map(({ what }) => what)).toEqual([
      'anchor',
      'witnesses',
      'later',
      'links',
      'time',
      'truth',
    ]);
  });

  it.each([1, 2, 3, 4095, 4096, 4097, 8192, 10_000])('of %d entries is valid', async (count) => {
    const bodies = eventsOf(LOG, count);
    expect(await verified(bundle(bodies, 1_000), POLICY)).toMatchObject({ result: 'valid', entries: count });
  });

  it('of an empty log is valid', async () => {
    expect(await verified(bundle([]), POLICY)).toMatchObject({ result: 'valid', entries: 0 });
  });

  it('that is not compressed is valid too', async () => {
    const bodies = eventsOf(LOG, 3);
    expect((await verified(claimed(bodies, bodies), POLICY)).result).toBe('valid');
  });

  it('may hold bodies that are no line, as base64', async () => {
    const odd = ` {\n"id":"x","log":"${LOG}"}`;
    const signed = [eventOf(LOG, 1), odd, eventOf(LOG, 2)];
    const lines = [signed[0] ?? '', `=${Buffer.from(odd).toString('base64')}`, signed[2] ?? ''];
    expect((await verified(claimed(signed, lines), POLICY)).result).toBe('valid');
  });

  it('with entries of several megabytes is valid', async () => {
    const bodies = [1, 2, 3].map((number) => eventOf(LOG, number, { details: 'x'.repeat(5 << 20) }));
    expect((await verified(bundle(bodies), POLICY)).result).toBe('valid');
  });

  it('with an entry of more than 16 MiB is refused, though it was signed', async () => {
    const bodies = [eventOf(LOG, 1, { details: 'x'.repeat(20 << 20) })];
    expect(codes(await verified(bundle(bodies), POLICY))).toEqual(['BUNDLE_LINE']);
  });

  it('whose entries are not what was signed is invalid, whatever was done to them', async () => {
    const signed = eventsOf(LOG, 9);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(11), { minLength: 0, maxLength: 12 }), async (picked) => {
        const shown = picked.map((number) => signed[number] ?? eventOf(LOG, number));
        const verdict = await verified(claimed(signed, shown), POLICY);
        const isSame = shown.length === signed.length && shown.every((body, at) => body === signed[at]);
        expect(verdict.result).toBe(isSame ? 'valid' : 'invalid');
      }),
      { numRuns: 200 },
    );
  });

  it.each<[string, readonly number[], string]>([
    ['cut at its end', [0, 1, 2, 3], 'AUDIT_ENTRY_MISSING'],
    ['without its first one', [1, 2, 3, 4], 'AUDIT_ENTRY_MISSING'],
    ['in another order', [0, 2, 1, 3, 4], 'AUDIT_TREE_MISMATCH'],
    ['with one too many', [0, 1, 2, 3, 4, 5], 'AUDIT_ENTRY_UNEXPECTED'],
  ])('with entries %s is told so', async (_, picked, code) => {
    const shown = picked.map((number) => eventOf(LOG, number));
    expect(codes(await verified(claimed(eventsOf(LOG, 5), shown), POLICY))).toEqual([code]);
  });

  it('tells where an event is of another log, twice, or none, though the signature is right', async () => {
    const bodies = [eventOf(LOG, 0), eventOf('audit/south', 1), eventOf(LOG, 0), '{"id":1}', '{"not JSON'];
    const { result, findings } = await verified(bundle(bodies), POLICY);
    expect(result).toBe('invalid');
    expect(findings.map(({ code, index }) => [code, index])).toEqual([
      ['AUDIT_LOG_MISMATCH', 1],
      ['AUDIT_ENTRY_DUPLICATE', 2],
      ['AUDIT_EVENT_UNREADABLE', 3],
      ['AUDIT_EVENT_UNREADABLE', 4],
    ]);
  });

  it('is incomplete where it was interrupted', async () => {
    const verdict = await verified(bundle(eventsOf(LOG, 7)), POLICY, { signal: AbortSignal.abort() });
    expect(verdict.result).toBe('incomplete');
    expect(verdict.notChecked[0]?.what).toBe('interrupted');
  });
});

describe('the policy', () => {
  const bodies = eventsOf(LOG, 6);

  it('decides whose signature counts: that of another key of the same name does not', async () => {
    const other = makeKey(LOG);
    expect(codes(await verified(bundle(bodies), `log ${other.vkey}`))).toEqual(['AUDIT_SIGNATURE_INVALID']);
  });

  it('decides which log it is: the key of one log does not speak for another one', async () => {
    const south = tarOf(bundleOf(checkpointOf('audit/south', [], KEY), []));
    expect(codes(await verified(south, POLICY))).toEqual(['AUDIT_CHECKPOINT_ORIGIN']);
    expect((await verified(south, `${POLICY}origin audit/south`)).result).toBe('valid');
    expect(codes(await verified(bundle(bodies), `${POLICY}origin audit/south`))).toEqual([
      'AUDIT_CHECKPOINT_ORIGIN',
    ]);
  });

  it('may ask for a size', async () => {
    expect((await verified(bundle(bodies), `${POLICY}size 6`)).result).toBe('valid');
    expect(codes(await verified(bundle(bodies), `${POLICY}size 7`))).toEqual(['POLICY_SIZE']);
  });

  it('may ask for witnesses', async () => {
    const [one, other] = [
      makeKey('witness.example/one', 1_767_225_600n),
      makeKey('witness.example/other', 5n),
    ];
    const file = tarOf(bundleOf(checkpointOf(LOG, bodies, KEY, one), entriesOf(bodies)));
    const names = `${POLICY}witness one ${one.vkey}\nwitness other ${other.vkey}\n`;
    const verdict = await verified(file, `${names}group both any one other\nquorum both`);
    expect(verdict.result).toBe('valid');
    expect(verdict.checkpoint?.witnesses).toEqual([{ name: one.name, time: '2026-01-01T00:00:00.000Z' }]);
    expect(verdict.notChecked.map(({ what }) => what)).not.toContain('witnesses');
    expect(codes(await verified(file, `${names}group both all one other\nquorum both`))).toEqual([
      'POLICY_QUORUM',
    ]);
    expect(codes(await verified(file, `${names}quorum other`))).toEqual(['POLICY_QUORUM']);
    expect((await verified(file, `${names}quorum none`)).result).toBe('valid');
  });

  it('does not take the cosignature of a witness for the signature of the log', async () => {
    const witness = makeKey(LOG, 5n);
    const file = tarOf(bundleOf(checkpointOf(LOG, bodies, witness), entriesOf(bodies)));
    expect(codes(await verified(file, `${POLICY}witness w ${witness.vkey}\nquorum w`))).toEqual([
      'AUDIT_SIGNATURE_INVALID',
    ]);
  });
});

describe('checkpoints that the auditor holds', () => {
  const bodies = eventsOf(LOG, 5_000);
  const anchored = (count: number, of = bodies) => {
    const file = join(temporaryDirectory(), 'anchor');
    writeFileSync(file, checkpointOf(LOG, of.slice(0, count), KEY));
    return `${POLICY}anchor ${file}\n`;
  };

  it.each([0, 1, 2, 4095, 4096, 4097, 4999, 5000])('of %d entries are confirmed', async (count) => {
    const verdict = await verified(bundle(bodies, 5_000), anchored(count));
    expect(verdict).toMatchObject({ result: 'valid', anchors: [count] });
    expect(verdict.notChecked.map(({ what }) => what)).not.toContain('anchor');
  });

  it.each([1, 100, 4096, 5000])('of %d entries show that the log was rewritten', async (count) => {
    const rewritten = [eventOf(LOG, 99_999), ...bodies.slice(1)];
    const verdict = await verified(bundle(rewritten, 5_000), anchored(count));
    expect(codes(verdict)).toEqual(['AUDIT_CHECKPOINT_MISMATCH']);
    expect(verdict.anchors).toEqual([]);
  });

  it('show that the end was cut', async () => {
    expect(codes(await verified(bundle(bodies.slice(0, 10)), anchored(11)))).toEqual([
      'AUDIT_CHECKPOINT_AHEAD',
    ]);
  });

  it('may be stated without a signature', async () => {
    const root = rootOf(bodies.slice(0, 3).map(leafOf)).toString('base64');
    const file = bundle(bodies.slice(0, 9));
    expect(await verified(file, `${POLICY}checkpoint ${LOG} 3 ${root}`)).toMatchObject({
      result: 'valid',
      anchors: [3],
    });
    expect(codes(await verified(file, `${POLICY}checkpoint ${LOG} 4 ${root}`))).toEqual([
      'AUDIT_CHECKPOINT_MISMATCH',
    ]);
  });

  it('that nobody trusted has signed, or that are not there, stop the verification', async () => {
    const file = join(temporaryDirectory(), 'anchor');
    writeFileSync(file, checkpointOf(LOG, bodies.slice(0, 3), makeKey(LOG)));
    await expect(verified(bundle(bodies.slice(0, 9)), `${POLICY}anchor ${file}`)).rejects.toThrow(
      'can not be used',
    );
    await expect(verified(bundle(bodies.slice(0, 9)), `${POLICY}anchor ${file}x`)).rejects.toThrow('ENOENT');
  });

  it('in a directory count where they are of this log', async () => {
    const directory = temporaryDirectory();
    for (const count of [2, 4])
      writeFileSync(join(directory, `${count}`), checkpointOf(LOG, bodies.slice(0, count), KEY));
    writeFileSync(join(directory, 'south'), checkpointOf('audit/south', [], KEY));
    const verdict = await verified(bundle(bodies.slice(0, 9)), `${POLICY}anchor ${directory}`);
    expect(verdict).toMatchObject({ result: 'valid', anchors: [2, 4] });
  });
});
