import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuditOptions } from '../src/audit.js';
import { parseCheckpoint } from '../src/checkpoint.js';
import type { StoredCheckpoint } from '../src/checkpoint-store.js';
import { createMemoryStore, getMemoryTables } from '../src/memory-store.js';
import { createSigner, signerKey } from '../src/note-signer.js';
import { openNote } from '../src/signed-note.js';
import { eventually, openAudit, storedEvents } from './open-audit.js';
import { treeRoot } from './rewrite-log.js';
import { pemOf, RFC_SEED } from './test-keys.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const signer = pemOf(RFC_SEED);
const HOUR = 3_600_000;

function opened(options: AuditOptions = {}) {
  const store = createMemoryStore();
  const tables = getMemoryTables(store);
  const kept = (log = 'audit'): readonly StoredCheckpoint[] => tables.checkpoints.get(log) ?? [];
  const open = (further: AuditOptions = {}) =>
    openAudit({ store, sealAfterMs: 0, checkpoints: { signer, everyMs: HOUR }, ...options, ...further });
  return { store, tables, kept, open, ...open() };
}

/** What a stored checkpoint states, if the key signed it. */
function stated({ log, note }: StoredCheckpoint) {
  return parseCheckpoint(openNote(note, [signerKey(createSigner(signer), log)]).text);
}

describe('audit.checkpoint()', () => {
  it('signs what is sealed, and keeps it in the store', async () => {
    const { audit, tables, kept } = opened();
    for (let i = 0; i < 5; i++) await audit.record({ action: 'a.b' });
    await audit.flush();
    const made = await audit.checkpoint();
    const [stored] = kept();
    if (stored === undefined) throw new Error('none was kept');
    const leaves = [...(tables.entries.get('audit')?.values() ?? [])].map(({ leaf }) => leaf);
    expect(stated(stored)).toMatchObject({
      origin: 'audit',
      size: 5,
      root: new Uint8Array(treeRoot(leaves)),
    });
    expect(Buffer.from(stored.note).toString()).toBe(made?.note);
  });

  it('of a log without entries there is none', async () => {
    const { audit } = opened();
    expect(await audit.checkpoint()).toBeNull();
  });

  it('continues the one that is kept, whoever made it', async () => {
    const { audit, open, kept } = opened();
    await audit.record({ action: 'a.b' });
    await audit.flush();
    await audit.checkpoint();
    const { audit: other } = open();
    await other.record({ action: 'a.b' });
    await other.flush();
    await other.checkpoint();
    await audit.checkpoint();
    expect(kept().map((checkpoint) => stated(checkpoint).size)).toEqual([1, 2]);
  });

  it.each<[string, string, (checkpoint: StoredCheckpoint) => StoredCheckpoint[]]>([
    [
      'was signed by another key',
      'AUDIT_SIGNATURE_INVALID',
      (kept) => [{ ...kept, note: foreignNote(kept) }],
    ],
    ['states another size than its row', 'AUDIT_CHECKPOINT_REFUSED', (kept) => [{ ...kept, size: 2 }]],
    [
      'has another tree beside it',
      'AUDIT_CHECKPOINT_REFUSED',
      (kept) => [{ ...kept, range: Buffer.alloc(64, 7) }],
    ],
  ])('is refused where the last one %s', async (_, expected, tamper) => {
    const { audit, open, tables, kept } = opened();
    for (let i = 0; i < 3; i++) await audit.record({ action: 'a.b' });
    await audit.flush();
    await audit.checkpoint();
    await audit.record({ action: 'a.b' });
    await audit.flush();
    const tampered = kept().flatMap(tamper);
    tables.checkpoints.set('audit', tampered);
    // One that has signed itself would know better.
    await expect(open().audit.checkpoint()).rejects.toThrow(code(expected));
    expect(kept()).toEqual(tampered);
  });

  it('is refused where the store has less than this process has signed', async () => {
    const { audit, tables } = opened();
    await audit.record({ action: 'a.b' });
    await audit.flush();
    await audit.checkpoint();
    tables.checkpoints.clear();
    await expect(audit.checkpoint()).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
  });

  it('does not continue a log that was rewritten with the secret, though the tree beside the last one was too', async () => {
    const logs = [opened(), opened()] as const;
    for (const { audit } of logs) {
      for (let i = 0; i < 3; i++) await audit.record({ action: 'a.b' });
      await audit.flush();
      await audit.checkpoint();
      await audit.record({ action: 'a.b' });
      await audit.flush();
    }
    const [signed, rewritten] = logs;
    const mixed = rewritten
      .kept()
      .map((kept, at) => ({ ...kept, note: signed.kept()[at]?.note ?? kept.note }));
    rewritten.tables.checkpoints.set('audit', mixed);
    await expect(rewritten.open().audit.checkpoint()).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
  });

  it('is refused where what it vouched for was rewritten', async () => {
    const { audit, tables } = opened();
    for (let i = 0; i < 3; i++) await audit.record({ action: 'a.b' });
    await audit.flush();
    const [event] = tables.events.values();
    if (event !== undefined) tables.events.set(event.id, { ...event, body: Buffer.from('{}') });
    await expect(audit.checkpoint()).rejects.toThrow(code('AUDIT_CHECKPOINT_REFUSED'));
  });

  it('takes the option that names the signer', async () => {
    const { audit } = openAudit({ store: createMemoryStore() });
    await expect(audit.checkpoint()).rejects.toThrow(code('AUDIT_CONFIG_INVALID'));
  });
});

describe('checkpoints on an interval', () => {
  it('are new each time: where nothing was recorded a heartbeat is', async () => {
    const { audit, store, kept } = opened({ checkpoints: { signer, everyMs: 100 } });
    await audit.record({ action: 'a.b' });
    await eventually(() => kept().length >= 3, 'there are three checkpoints');
    expect(
      kept()
        .slice(0, 3)
        .map(({ size }) => size),
    ).toEqual([1, 2, 3]);
    const actions = (await storedEvents(store)).map(({ action }) => action);
    expect(actions.slice(0, 3)).toEqual(['a.b', 'log.heartbeat', 'log.heartbeat']);
  });

  it('are made of the logs of tenants where they have grown, and only there', async () => {
    const { audit, store, kept } = opened({ checkpoints: { signer, everyMs: 100 } });
    await audit.record({ action: 'a.b', context: { tenant: 'north' } });
    await audit.record({ action: 'a.b' });
    await eventually(() => kept().length >= 3, 'there are three checkpoints');
    expect(kept('audit/north').map((checkpoint) => stated(checkpoint).size)).toEqual([1]);
    const beats = (await storedEvents(store)).filter(({ action }) => action === 'log.heartbeat');
    expect(new Set(beats.map(({ log }) => log))).toEqual(new Set(['audit']));
  });

  it('are left to another process that was quicker', async () => {
    const inner = createMemoryStore();
    const checkpoints = inner.checkpoints;
    if (checkpoints === undefined) throw new Error('no checkpoints');
    const latest = async (log: string) => {
      const kept = await checkpoints.latest(log);
      return kept === null ? null : { ...kept, madeAt: BigInt(Date.now()) * 1000n };
    };
    const store = { ...inner, checkpoints: { ...checkpoints, latest } };
    const { audit } = openAudit({ store, sealAfterMs: 0, checkpoints: { signer, everyMs: 400 } });
    await audit.record({ action: 'a.b' });
    await audit.flush();
    await audit.checkpoint();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(getMemoryTables(inner).checkpoints.get('audit')).toHaveLength(1);
  });

  it('come also where the last one says that it was made tomorrow', async () => {
    const { audit, tables, kept } = opened({ checkpoints: { signer, everyMs: 100 } });
    await audit.record({ action: 'a.b' });
    await eventually(() => kept().length > 0, 'there is one');
    const tomorrow = BigInt(Date.now() + 24 * HOUR) * 1000n;
    const made = kept().map((checkpoint) => ({ ...checkpoint, madeAt: tomorrow }));
    tables.checkpoints.set('audit', made);
    await eventually(() => kept().length > made.length, 'there is another one');
  });

  it('that can not be made are reported, and once where waiting does not help', async () => {
    const { audit, tables, errors, kept } = opened({ checkpoints: { signer, everyMs: 100 } });
    await audit.record({ action: 'a.b' });
    await audit.flush();
    const [event] = tables.events.values();
    if (event !== undefined) tables.events.set(event.id, { ...event, body: Buffer.from('{}') });
    await eventually(() => errors.length > 0, 'it is reported');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(errors.map((error) => error.code)).toEqual(['AUDIT_CHECKPOINT_REFUSED']);
    expect(kept()).toEqual([]);
  });

  it('come again when the signer is back', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    let away = true;
    const remote = {
      publicKey: String(publicKey.export({ format: 'pem', type: 'spki' })),
      sign: async (bytes: Uint8Array) => {
        if (away) throw new Error('the HSM is away');
        return sign(null, bytes, privateKey);
      },
    };
    const { audit, errors, kept } = opened({ checkpoints: { signer: remote, everyMs: 100 } });
    await audit.record({ action: 'a.b' });
    await eventually(() => errors.length > 0, 'it is reported');
    expect(errors[0]?.code).toBe('AUDIT_SIGNATURE_INVALID');
    expect(audit.health()).toMatchObject({
      ok: false,
      checkpoints: { lastSuccess: null, lastError: errors[0] },
    });
    away = false;
    await eventually(() => kept().length > 0, 'there is a checkpoint');
    await eventually(() => audit.health().checkpoints?.lastSuccess !== null, 'health says so');
    expect(audit.health().checkpoints?.lastError).toBeNull();
  });

  it('end with the audit', async () => {
    const { audit, kept } = opened({ checkpoints: { signer, everyMs: 100 } });
    await audit.record({ action: 'a.b' });
    await eventually(() => kept().length >= 1, 'there is a checkpoint');
    await audit.close();
    const before = kept().length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(kept().length).toBe(before);
  });
});

describe('the option checkpoints', () => {
  it('takes the key from the environment where none is named', async () => {
    process.env.AUDIT_SIGNING_KEY = signer;
    onTestFinished(() => void delete process.env.AUDIT_SIGNING_KEY);
    const { audit, kept } = opened({ checkpoints: {} });
    await audit.record({ action: 'a.b' });
    await audit.flush();
    await audit.checkpoint();
    expect(kept().map((checkpoint) => stated(checkpoint).size)).toEqual([1]);
  });

  it.each<[string, AuditOptions]>([
    ['no key', { checkpoints: {} }],
    ['a key that is none', { checkpoints: { signer: 'hunter2' } }],
    ['an interval that is none', { checkpoints: { signer, everyMs: 5 } }],
    ['something unknown', { checkpoints: { signer, every: 5 } as object }],
    ['another process that seals', { checkpoints: { signer }, sealing: 'external' }],
    ['sealing by hand', { checkpoints: { signer }, sealAfterMs: false }],
  ])('is refused with %s', (_, options) => {
    expect(() => openAudit({ store: createMemoryStore(), ...options })).toThrow(code('AUDIT_CONFIG_INVALID'));
  });
});

/** The same text, signed by somebody else under the same name. */
function foreignNote({ note }: StoredCheckpoint): Uint8Array {
  const [text = ''] = Buffer.from(note).toString().split('\n\n');
  const { privateKey } = generateKeyPairSync('ed25519');
  const id = signerKey(createSigner(signer), 'audit').id;
  const bytes = Buffer.concat([Buffer.alloc(4), sign(null, Buffer.from(`${text}\n`), privateKey)]);
  bytes.writeUInt32BE(id);
  return Buffer.from(`${text}\n\n\u2014 audit ${bytes.toString('base64')}\n`);
}
