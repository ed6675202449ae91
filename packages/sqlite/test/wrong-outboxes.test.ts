import { type StoreSuiteOptions, storeSuite } from '@indelible/core/conformance';
import { describe, expect, test } from 'vitest';
import { openLibsql } from './raw-connection.js';
import { createSqliteHarness } from './sqlite-harness.js';
import { WRONG_OUTBOXES, type WrongOutbox } from './wrong-outboxes.js';

type Cases = ReadonlyMap<string, () => Promise<void>>;

/** The cases of the suite, by their names. */
function casesOf(options: Omit<StoreSuiteOptions, 'test'>): Cases {
  const cases = new Map<string, () => Promise<void>>();
  storeSuite({ ...options, test: (name, run) => cases.set(name, run) });
  return cases;
}

function casesWith(wrap: WrongOutbox['wrap']): Cases {
  return casesOf({
    factory: async () => {
      const harness = createSqliteHarness('libsql', openLibsql);
      return {
        ...harness,
        open: async () => {
          const store = await harness.open();
          return store.outbox === undefined ? store : { ...store, outbox: wrap(store.outbox, harness.file) };
        },
      };
    },
  });
}

const factory = async () => createSqliteHarness('libsql', openLibsql);
const withoutOutbox = casesOf({ factory, outbox: false });
const OUTBOX_CASES = [...casesOf({ factory }).keys()].filter((name) => !withoutOutbox.has(name));

describe('the store suite refuses an outbox that', () => {
  for (const [name, wrongs] of Object.entries(WRONG_OUTBOXES)) {
    for (const { fault, wrap } of wrongs) {
      test(fault, async () => {
        const run = casesWith(wrap).get(name);
        expect(run, `there is no case '${name}'`).toBeDefined();
        await expect(run?.()).rejects.toThrow();
      });
    }
  }
});

test('each of its cases about outboxes refuses one that is wrong on purpose, and none that is not', async () => {
  expect(Object.keys(WRONG_OUTBOXES).toSorted()).toEqual(OUTBOX_CASES.toSorted());
  const cases = casesWith((outbox) => ({ ...outbox }));
  for (const name of OUTBOX_CASES) await cases.get(name)?.();
});
