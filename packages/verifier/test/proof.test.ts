import { describe, expect, it } from 'vitest';
import {
  checkpointOf,
  consistencyOf,
  eventOf,
  eventsOf,
  inclusionOf,
  leafOf,
  makeKey,
  rootOf,
} from './evidence.js';
import { codes, verified } from './verified.js';

const LOG = 'audit/north';
const KEY = makeKey(LOG);
const POLICY = `log ${KEY.vkey}\n`;

function eventProof(
  bodies: readonly string[],
  index: number,
  extra: string | null = bodies[index] ?? null,
): string {
  const nodes = inclusionOf(index, bodies.map(leafOf)).map((node) => `${node.toString('base64')}\n`);
  const body = extra === null ? '' : `extra ${Buffer.from(extra).toString('base64')}\n`;
  return `c2sp.org/tlog-proof@v1\n${body}index ${index}\n${nodes.join('')}\n${checkpointOf(LOG, bodies, KEY)}`;
}

function consistencyProof(bodies: readonly string[], oldSize: number): string {
  const nodes = consistencyOf(oldSize, bodies.map(leafOf)).map((node) => `${node.toString('base64')}\n`);
  return `old ${oldSize}\n${nodes.join('')}\n${checkpointOf(LOG, bodies, KEY)}`;
}

function holding(bodies: readonly string[]): string {
  return `${POLICY}checkpoint ${LOG} ${bodies.length} ${rootOf(bodies.map(leafOf)).toString('base64')}\n`;
}

describe('the proof of an event', () => {
  it('is valid for each event of logs of many sizes', async () => {
    for (const size of [1, 2, 3, 4, 7, 8, 9, 31]) {
      const bodies = eventsOf(LOG, size);
      for (let index = 0; index < size; index++) {
        const verdict = await verified(eventProof(bodies, index), POLICY);
        expect(verdict, `${index} of ${size}`).toMatchObject({
          result: 'valid',
          kind: 'event',
          event: { index, body: bodies[index] },
        });
      }
    }
  });

  it('may come without the event, which is then given', async () => {
    const bodies = eventsOf(LOG, 5);
    expect(codes(await verified(eventProof(bodies, 2, null), POLICY))).toEqual(['AUDIT_PROOF_INVALID']);
  });

  it.each<[string, string]>([
    ['another event', eventProof(eventsOf(LOG, 5), 2, eventOf(LOG, 3))],
    ['an event at another place', eventProof(eventsOf(LOG, 5), 2).replace('index 2', 'index 3')],
    ['a place beyond the log', eventProof(eventsOf(LOG, 5), 2).replace('index 2', 'index 5')],
    ['a node missing', eventProof(eventsOf(LOG, 5), 2).replace(/(index 2\n)[^\n]+\n/, '$1')],
    [
      'a node too many',
      eventProof(eventsOf(LOG, 5), 2).replace('index 2\n', `index 2\n${leafOf('x').toString('base64')}\n`),
    ],
  ])('of %s is invalid', async (_, file) => {
    expect(codes(await verified(file, POLICY))).toEqual(['AUDIT_PROOF_INVALID']);
  });

  it('of an event of another log is invalid, though that log signed it', async () => {
    const bodies = [eventOf('audit/south', 0)];
    expect(codes(await verified(eventProof(bodies, 0), POLICY))).toEqual(['AUDIT_LOG_MISMATCH']);
  });

  it('is never valid with any part of it removed, unless it says the same', async () => {
    const whole = eventProof(eventsOf(LOG, 3), 1);
    for (let from = 0; from < whole.length; from++) {
      for (const length of [1, 2, 3, 7, 44, 45, 46, whole.length]) {
        const cut = whole.slice(0, from) + whole.slice(from + length);
        const verdict = await verified(cut, POLICY);
        expect(verdict.result, JSON.stringify(cut)).not.toBe('valid');
      }
    }
  });

  it('says that your checkpoints were not compared where that would take another proof', async () => {
    const bodies = eventsOf(LOG, 9);
    const verdict = await verified(eventProof(bodies, 3), holding(bodies.slice(0, 4)));
    expect(verdict.result).toBe('valid');
    expect(verdict.notChecked[0]).toMatchObject({
      what: 'anchor',
      detail: expect.stringContaining('4 entries'),
    });
    expect(codes(await verified(eventProof(bodies.slice(0, 8), 3), holding(bodies)))).toEqual([
      'AUDIT_CHECKPOINT_AHEAD',
    ]);
    const other = [...bodies.slice(0, 8), eventOf(LOG, 77)];
    expect(codes(await verified(eventProof(bodies, 3), holding(other)))).toEqual([
      'AUDIT_CHECKPOINT_MISMATCH',
    ]);
  });
});

describe('a proof of consistency', () => {
  it('is valid from each size to each larger one', async () => {
    const all = eventsOf(LOG, 17);
    for (const size of [2, 3, 8, 9, 17]) {
      for (let old = 1; old <= size; old++) {
        const verdict = await verified(consistencyProof(all.slice(0, size), old), holding(all.slice(0, old)));
        expect(verdict, `${old} to ${size}`).toMatchObject({ result: 'valid', anchors: [old] });
      }
    }
  });

  it('is invalid where the log was rewritten', async () => {
    const all = eventsOf(LOG, 9);
    const rewritten = [eventOf(LOG, 77), ...all.slice(1)];
    for (let old = 1; old <= 9; old++) {
      const verdict = await verified(consistencyProof(rewritten, old), holding(all.slice(0, old)));
      expect(codes(verdict), `${old}`).toEqual(['AUDIT_CHECKPOINT_MISMATCH']);
    }
  });

  it('is incomplete where you hold no checkpoint of that size', async () => {
    const all = eventsOf(LOG, 9);
    const verdict = await verified(consistencyProof(all, 4), POLICY);
    expect(verdict).toMatchObject({ result: 'incomplete', anchors: [] });
    expect((await verified(consistencyProof(all, 4), holding(all.slice(0, 5)))).result).toBe('incomplete');
  });

  it('to a smaller log than you hold is invalid', async () => {
    const all = eventsOf(LOG, 9);
    expect(codes(await verified(consistencyProof(all.slice(0, 8), 4), holding(all)))).toContain(
      'AUDIT_CHECKPOINT_AHEAD',
    );
  });

  it.each([
    ['a node missing', (file: string) => file.replace(/(old 4\n)[^\n]+\n/, '$1')],
    ['a node twice', (file: string) => file.replace(/(old 4\n)([^\n]+\n)/, '$1$2$2')],
    ['another size', (file: string) => file.replace('old 4', 'old 3')],
  ])('with %s is never valid', async (_, alter) => {
    const all = eventsOf(LOG, 9);
    const held = `${holding(all.slice(0, 4))}${holding(all.slice(0, 3)).replace(POLICY, '')}`;
    expect((await verified(consistencyProof(all, 4), held)).result).toBe('valid');
    expect((await verified(alter(consistencyProof(all, 4)), held)).result).not.toBe('valid');
  });
});
