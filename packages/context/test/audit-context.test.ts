import { AsyncLocalStorage } from 'node:async_hooks';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { bindContext, getContext, runWithContext, tryGetContext, updateContext } from '../src/index.js';
import { createTestLog } from './log-of.js';

describe('runWithContext', () => {
  test('a job without a request has the actor that it was given', async () => {
    const { audit, events } = createTestLog();
    await runWithContext({ actor: { type: 'system', id: 'nightly-import' } }, () =>
      audit.record({ action: 'patient.imported' }),
    );
    expect((await events())[0]?.actor).toEqual({ type: 'system', id: 'nightly-import' });
  });

  test('without any context the event says system/unknown', async () => {
    const { audit, events } = createTestLog();
    await audit.record({ action: 'patient.imported' });
    expect((await events())[0]?.actor).toEqual({ type: 'system', id: 'unknown' });
  });

  test('returns what the function returns, and throws what it throws', async () => {
    expect(runWithContext({}, () => 7)).toBe(7);
    expect(() =>
      runWithContext({}, () => {
        throw new RangeError('on purpose');
      }),
    ).toThrow(RangeError);
    await expect(runWithContext({}, async () => 'later')).resolves.toBe('later');
    await expect(runWithContext({}, () => Promise.reject(new RangeError('on purpose')))).rejects.toThrow(
      RangeError,
    );
    const throwing: PromiseLike<never> = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable that throws is what is tried here.
      then: () => {
        throw new RangeError('on purpose');
      },
    };
    await expect(runWithContext({}, () => throwing)).rejects.toThrow(RangeError);
    expect(tryGetContext()).toBeUndefined();
  });

  test('a lazy promise starts inside the scope', async () => {
    const lazy: PromiseLike<string | undefined> = {
      // biome-ignore lint/suspicious/noThenProperty: an ORM's promise, which starts when it is awaited.
      then: (resolve) => Promise.resolve(tryGetContext()?.tenant).then(resolve),
    };
    await expect(runWithContext({ tenant: 'north' }, () => lazy)).resolves.toBe('north');
  });

  test('a timer that outlives its scope is in the outer one, and after that in none', async () => {
    const seen: (string | undefined)[] = [];
    const timers: Promise<unknown>[] = [];
    const look = (ms: number) => timers.push(sleep(ms).then(() => seen.push(tryGetContext()?.source)));
    await runWithContext({ source: 'outer' }, async () => {
      await runWithContext({ source: 'inner' }, async () => {
        look(0);
        look(40);
        look(150);
        await sleep(20);
      });
      runWithContext({ source: 'inner' }, () => {
        look(40);
      });
      await sleep(80);
    });
    await Promise.all(timers);
    expect(seen).toEqual(['inner', 'outer', 'outer', undefined]);
  });

  test('a scope that failed has ended too', async () => {
    let late: Promise<unknown> | undefined;
    const failing = runWithContext({ tenant: 'north' }, async () => {
      late = sleep(20).then(() => tryGetContext());
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect(await late).toBeUndefined();
    expect(() =>
      runWithContext({ tenant: 'north' }, () => {
        late = sleep(5).then(() => tryGetContext());
        throw new Error('on purpose');
      }),
    ).toThrow('on purpose');
    expect(await late).toBeUndefined();
  });

  test('what was undefined hides nothing, and what the caller changes later changes nothing', () => {
    const mine: { tenant?: string } = { tenant: 'north' };
    runWithContext(mine, () => {
      mine.tenant = 'south';
      expect(getContext().tenant).toBe('north');
      runWithContext(JSON.parse('{}'), () => expect(getContext().tenant).toBe('north'));
      const given: object = { tenant: undefined };
      runWithContext(given, () => expect(getContext().tenant).toBe('north'));
    });
  });

  test('nobody can pause by way of a context', async () => {
    const { audit, events } = createTestLog();
    const sneaky: object = { paused: true };
    await runWithContext(sneaky, () => audit.record({ action: 'patient.imported' }));
    await runWithContext({}, async () => {
      updateContext(sneaky);
      await audit.record({ action: 'patient.imported' });
    });
    expect(await events()).toHaveLength(2);
  });

  test('refuses what is no context or no function', () => {
    const call: (...args: unknown[]) => unknown = runWithContext as never;
    expect(() => call('ada', () => 1)).toThrow(TypeError);
    expect(() => call({}, 'fn')).toThrow(TypeError);
    expect(() => call(null, () => 1)).toThrow(TypeError);
  });
});

describe('updateContext', () => {
  test('changes the innermost scope and no other', () => {
    runWithContext({ tenant: 'north' }, () => {
      runWithContext({}, () => {
        updateContext({ tenant: 'south' });
        expect(getContext().tenant).toBe('south');
      });
      expect(getContext().tenant).toBe('north');
    });
  });

  test('is seen by a scope that was opened inside before', async () => {
    await runWithContext({}, async () => {
      const inner = runWithContext({ source: 'job' }, async () => {
        await sleep(10);
        return getContext();
      });
      updateContext({ tenant: 'north', source: 'http' });
      expect(await inner).toMatchObject({ tenant: 'north', source: 'job' });
    });
  });

  test('throws outside of any scope, and so does getContext', () => {
    expect(() => updateContext({ tenant: 'north' })).toThrow(
      expect.objectContaining({ code: 'AUDIT_CONTEXT_MISSING' }),
    );
    expect(() => getContext()).toThrow(expect.objectContaining({ code: 'AUDIT_CONTEXT_MISSING' }));
    expect(tryGetContext()).toBeUndefined();
  });
});

describe('bindContext', () => {
  test('ties a callback to where it was bound, not to where it is called', async () => {
    await runWithContext({ tenant: 'north' }, async () => {
      const bound = bindContext((suffix: string) => `${tryGetContext()?.tenant}${suffix}`);
      expect(runWithContext({ tenant: 'south' }, () => bound('!'))).toBe('north!');
    });
  });

  test('a callback that was bound in no scope runs in none', () => {
    const bound = bindContext(() => tryGetContext());
    expect(runWithContext({ tenant: 'south' }, bound)).toBeUndefined();
  });

  test('a bound callback that runs after the scope carries none of it', () => {
    const bound = runWithContext({ tenant: 'north' }, () => bindContext(() => tryGetContext()));
    expect(bound()).toBeUndefined();
  });
});

test('the context is never entered for good', async () => {
  const enterWith = vi.spyOn(AsyncLocalStorage.prototype, 'enterWith');
  await runWithContext({ tenant: 'north' }, async () => {
    updateContext({ tenant: 'south' });
    await sleep(1);
  });
  expect(enterWith).not.toHaveBeenCalled();
  enterWith.mockRestore();
});

test('two copies of this package in one process share their scopes', async () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const copy = mkdtempSync(join(tmpdir(), 'context-copy-'));
  try {
    for (const part of ['dist', 'src']) cpSync(join(root, part), join(copy, part), { recursive: true });
    cpSync(join(root, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const other: typeof import('../src/index.js') = await import(
      /* @vite-ignore */ pathToFileURL(join(copy, 'dist/index.js')).href
    );
    expect(other.runWithContext).not.toBe(runWithContext);
    const { audit, events } = createTestLog();
    await other.runWithContext({ tenant: 'north' }, () =>
      runWithContext({ source: 'job' }, async () => {
        other.updateContext({ correlationId: 'c1' });
        await audit.record({ action: 'patient.imported' });
        expect(other.getContext()).toEqual(getContext());
      }),
    );
    expect((await events())[0]?.context).toEqual({ tenant: 'north', source: 'job', correlationId: 'c1' });
  } finally {
    rmSync(copy, { recursive: true });
  }
});
