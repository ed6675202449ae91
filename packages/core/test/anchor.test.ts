import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Anchor, anchorKey } from '../src/anchor.js';
import type { CheckpointOptions } from '../src/audit.js';
import { parseCheckpoint } from '../src/checkpoint.js';
import { createFileAnchor } from '../src/file-anchor.js';
import { createMemoryStore, getMemoryTables } from '../src/memory-store.js';
import { parseNote } from '../src/signed-note.js';
import { eventually, openAudit } from './open-audit.js';
import { temporaryDirectory } from './temporary-directory.js';
import { makeTestKey, pemOf, RFC_SEED } from './test-keys.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const TEXT = 'audit\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
const noteOf = (text = TEXT) => Buffer.from(`${text}\n${makeTestKey('audit').line(text)}`);

function openAnchored(anchors: readonly Anchor[], further: CheckpointOptions = {}) {
  const store = createMemoryStore();
  const checkpoints = { signer: pemOf(RFC_SEED), everyMs: 3_600_000, anchors, ...further };
  return { tables: getMemoryTables(store), ...openAudit({ store, sealAfterMs: 0, checkpoints }) };
}

/** The sizes of the checkpoints in the files of a directory. */
function sizesIn(directory: string): number[] {
  return readdirSync(directory)
    .sort()
    .map((name) => parseCheckpoint(parseNote(readFileSync(join(directory, name))).text).size);
}

describe('an anchor of files', () => {
  it('keeps a checkpoint as it is, under its log and size', async () => {
    const directory = join(temporaryDirectory(), 'not there yet');
    const note = noteOf();
    await createFileAnchor({ directory }).put(anchorKey('audit/north', 7), note);
    const file = join(directory, 'audit%2Fnorth', '0000000000000007.checkpoint');
    expect(readFileSync(file).equals(note)).toBe(true);
    expect(statSync(file).mode & 0o222).toBe(0);
    expect(readdirSync(join(directory, 'audit%2Fnorth'))).toEqual(['0000000000000007.checkpoint']);
  });

  it('takes the same checkpoint again, signed by another key too', async () => {
    const directory = temporaryDirectory();
    const anchor = createFileAnchor({ directory });
    const first = noteOf();
    for (const note of [first, first, noteOf()]) await anchor.put('a/1', note);
    expect(readFileSync(join(directory, 'a/1')).equals(first)).toBe(true);
  });

  it('refuses another checkpoint of a size that it has, and keeps what it has', async () => {
    const directory = temporaryDirectory();
    const anchor = createFileAnchor({ directory });
    const first = noteOf();
    await anchor.put('a/1', first);
    await expect(anchor.put('a/1', noteOf(TEXT.replace('\n0\n', '\n1\n')))).rejects.toThrow(
      code('AUDIT_ANCHOR_CONFLICT'),
    );
    expect(readFileSync(join(directory, 'a/1')).equals(first)).toBe(true);
    expect(readdirSync(join(directory, 'a'))).toEqual(['1']);
  });

  it('of two that put at once keeps one', async () => {
    const directory = temporaryDirectory();
    const anchor = createFileAnchor({ directory });
    const other = noteOf(TEXT.replace('\n0\n', '\n1\n'));
    const outcomes = await Promise.allSettled([anchor.put('a/1', noteOf()), anchor.put('a/1', other)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it.each(['audit/../../etc', '..', 'a\\b', 'a:b', `audit/${'x'.repeat(300)}`, 'a\ud800'])(
    'keeps the log %j in its own directory',
    async (log) => {
      const directory = join(temporaryDirectory(), 'anchor');
      await createFileAnchor({ directory }).put(anchorKey(log, 1), noteOf());
      const [folder, ...others] = readdirSync(directory);
      expect(others).toEqual([]);
      expect(readdirSync(join(directory, folder ?? ''))).toEqual(['0000000000000001.checkpoint']);
    },
  );

  it('has another key for another log', () => {
    const logs = ['audit', 'audit/a', 'audit%2Fa', `audit/${'x'.repeat(300)}`, `audit/${'x'.repeat(301)}`];
    expect(new Set(logs.map((log) => anchorKey(log, 1))).size).toBe(logs.length);
  });
});

describe('checkpoints with anchors', () => {
  it('are kept there too', async () => {
    const directory = temporaryDirectory();
    const { audit } = openAnchored([createFileAnchor({ directory })]);
    for (let i = 0; i < 3; i++) {
      await audit.record({ action: 'a.b' });
      await audit.flush();
      await audit.checkpoint();
    }
    expect(sizesIn(join(directory, 'audit'))).toEqual([1, 2, 3]);
  });

  it('are given to any function', async () => {
    const kept: string[] = [];
    const put = async (key: string) => void kept.push(key);
    const { audit } = openAnchored([{ name: 'mine', put }]);
    await audit.record({ action: 'a.b' });
    await audit.flush();
    await audit.checkpoint();
    expect(kept).toEqual([anchorKey('audit', 1)]);
  });

  it('that one anchor does not take are reported, kept by the others, and tried again', async () => {
    const directory = temporaryDirectory();
    let away = true;
    const kept: string[] = [];
    const lost: Anchor = {
      name: 'lost',
      put: async (key) => {
        if (away) throw new Error('the network is away');
        kept.push(key);
      },
    };
    const { audit, errors, tables } = openAnchored([lost, createFileAnchor({ directory })], { everyMs: 100 });
    await audit.record({ action: 'a.b' });
    await eventually(() => (tables.checkpoints.get('audit')?.length ?? 0) >= 2, 'two are made');
    expect(errors.map((error) => error.code)).toEqual(['AUDIT_ANCHOR_FAILED']);
    expect(audit.health()).toMatchObject({
      ok: false,
      checkpoints: { lastError: { code: 'AUDIT_ANCHOR_FAILED' } },
    });
    expect(sizesIn(join(directory, 'audit')).length).toBeGreaterThan(0);
    away = false;
    await eventually(() => kept.length > 0, 'it is kept');
    await eventually(() => audit.health().checkpoints?.lastError === null, 'health says so');
  });

  it('of a tenant who records nothing more are kept once the anchor is back', async () => {
    let away = true;
    const kept: string[] = [];
    const put = async (key: string) => {
      if (away && key.includes('north')) throw new Error('the network is away');
      kept.push(key);
    };
    const { audit, errors } = openAnchored([{ name: 'mine', put }], { everyMs: 100 });
    await audit.record({ action: 'a.b', context: { tenant: 'north' } });
    await eventually(() => errors.length > 0, 'it is reported');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(audit.health().checkpoints?.lastError).not.toBeNull();
    away = false;
    await eventually(() => kept.includes(anchorKey('audit/north', 1)), 'it is kept');
  });

  it('show a log that was put back and went on: the anchor has another one of its size', async () => {
    const directory = temporaryDirectory();
    const { audit } = openAnchored([createFileAnchor({ directory })]);
    await audit.record({ action: 'a.b' });
    await audit.flush();
    await audit.checkpoint();
    // An older copy of the database, in another process: nothing in it knows of what was signed.
    const { audit: restored } = openAnchored([createFileAnchor({ directory })]);
    await restored.record({ action: 'a.c' });
    await restored.flush();
    await expect(restored.checkpoint()).rejects.toThrow(code('AUDIT_ANCHOR_CONFLICT'));
  });

  it('are refused where an anchor is none', () => {
    for (const anchors of [[{}], [{ name: 'x' }], {}]) {
      expect(() => openAnchored(anchors as readonly Anchor[])).toThrow(code('AUDIT_CONFIG_INVALID'));
    }
  });
});
