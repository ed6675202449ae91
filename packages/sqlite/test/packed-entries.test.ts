import { describe, expect, it, test } from 'vitest';
import type { SqliteDriver } from '../src/driver.js';
import { createLibsqlDriver } from '../src/libsql-driver.js';
import { tryReadPackedEntries } from '../src/packed-entries.js';
import { EntryPages, readEntryColumns } from '../src/read-entries.js';
import { LOG } from './child/events.mjs';
import { openLibsql, type RawConnection } from './raw-connection.js';
import {
  byPages,
  COUNT,
  connected,
  EVENT_3,
  file,
  GREATEST,
  LEAST,
  NULLABLE,
  seal,
  setEntry,
  setEvent,
  TEXTS,
  tampered,
  whole,
} from './sealed-log.js';

/** Puts into a text of row 3 the rest of that row and all of the next one but its last six fields, which are those of row 3. */
function forgeRow(raw: RawConnection, upToTime: readonly unknown[]): void {
  const rest = ['writer-1', 'Patient', '3', '', '', '', ''];
  const fields = [...rest, ...upToTime, 'patient.updated', 'data', 'success', 'service', 'writer-1'];
  raw.run(`UPDATE audit_event SET actor_id = ? WHERE ${EVENT_3}`, [fields.map(String).join('\x1f')]);
}

test('a log that nobody touched is read packed, and gives what its columns give', async () => {
  await seal();
  const packed = whole(tryReadPackedEntries);
  expect(packed).toHaveLength(COUNT);
  expect(packed).toEqual(whole(readEntryColumns));
  expect(whole(tryReadPackedEntries, 'another')).toEqual([]);
});

describe('packed rows give what the columns give, also where a text is', () => {
  it.each([
    ...NULLABLE.flatMap((column) => [
      [column, 'NULL'],
      [column, "''"],
    ]),
    ...['', '5', 'null', 'NULL', ' ', 'é😀漢', '\ufeff', '\x01', "''", '\x1e', 'x'.repeat(300)].map(
      (text) => ['actor_id', `'${text.replaceAll("'", "''")}'`],
    ),
  ])('%s = %s', async (column = '', value = '') => {
    await tampered(setEvent(column, value));
    const packed = whole(tryReadPackedEntries);
    expect(packed).toHaveLength(COUNT);
    expect(packed).toEqual(whole(readEntryColumns));
  });

  it('of any index and time of sealing that an integer can hold', async () => {
    await tampered((raw) => {
      setEntry('sealed_at', '-9223372036854775808')(raw);
      raw.exec(`UPDATE audit_entry SET idx = ${LEAST} WHERE idx = 0;
        UPDATE audit_entry SET idx = ${GREATEST}, sealed_at = 9223372036854775807 WHERE idx = 7`);
    });
    const packed = whole(tryReadPackedEntries);
    expect(packed).toHaveLength(COUNT);
    expect(packed).toEqual(whole(readEntryColumns));
  });
});

describe('a page is not read packed, but by its columns, where', () => {
  const types = [...TEXTS, ...NULLABLE, 'log'].flatMap((column) =>
    ['5', '5.5', `CAST(ifnull(${column}, '') AS BLOB)`, "x'35'"].map(
      (value) => [`the event's ${column} is ${value}`, setEvent(column, value)] as const,
    ),
  );
  const cases: readonly (readonly [string, (raw: RawConnection) => void])[] = [
    ...types,
    ...[...TEXTS, 'log', 'body', 'leaf'].map(
      (column) => [`the event's ${column} is NULL`, setEvent(column, 'NULL')] as const,
    ),
    ...['leaf', 'hash', 'sealed_at', 'event_id'].map(
      (column) => [`the entry's ${column} is NULL`, setEntry(column, 'NULL')] as const,
    ),
    ['the body is text', setEvent('body', 'CAST(body AS TEXT)')],
    ['the body is longer than a page can bear', setEvent('body', 'zeroblob(65537)')],
    ["the event's leaf is text", setEvent('leaf', `'${'a'.repeat(32)}'`)],
    ["the event's leaf is another one", setEvent('leaf', 'zeroblob(32)')],
    ["the entry's leaf is another one", setEntry('leaf', 'zeroblob(32)')],
    ["the entry's hash is text", setEntry('hash', `'${'a'.repeat(32)}'`)],
    ["the entry's hash is short", setEntry('hash', 'zeroblob(31)')],
    ["the entry's hash is long", setEntry('hash', 'zeroblob(33)')],
    [
      'both leaves are short',
      (raw) => [setEvent('leaf', 'zeroblob(31)'), setEntry('leaf', 'zeroblob(31)')].map((set) => set(raw)),
    ],
    [
      'both leaves are text',
      (raw) =>
        [setEvent('leaf', `'${'a'.repeat(32)}'`), setEntry('leaf', `'${'a'.repeat(32)}'`)].map((set) =>
          set(raw),
        ),
    ],
    ['the time of sealing is text', setEntry('sealed_at', 'CAST(sealed_at AS TEXT)')],
    ['the time of sealing is a REAL', setEntry('sealed_at', 'CAST(sealed_at AS REAL)')],
    ["the event's log is another one", setEvent('log', "'other'")],
    ['the event is gone', (raw) => raw.exec(`DELETE FROM audit_event WHERE ${EVENT_3}`)],
    [
      'an id is a number in both rows',
      (raw) => [setEvent('id', '5'), raw.exec('UPDATE audit_entry SET event_id = 5 WHERE idx = 3')],
    ],
    ['two rows have one index', (raw) => raw.exec('UPDATE audit_entry SET idx = 3 WHERE idx = 4')],
    [
      'the leaves of one row are as much too short as those of the next are too long',
      (raw) => {
        for (const [index, length] of [
          [3, 31],
          [4, 33],
        ]) {
          raw.exec(`UPDATE audit_entry SET leaf = zeroblob(${length}) WHERE idx = ${index};
            UPDATE audit_event SET leaf = zeroblob(${length}) WHERE id = (SELECT event_id FROM audit_entry WHERE idx = ${index})`);
        }
      },
    ],
    [
      'the hash of one row is as much too short as that of the next is too long',
      (raw) =>
        raw.exec(`UPDATE audit_entry SET hash = zeroblob(31) WHERE idx = 3;
          UPDATE audit_entry SET hash = zeroblob(33) WHERE idx = 4`),
    ],
    [
      'a text forges the fields of another row, which lacks its own',
      (raw) => {
        const [row] = raw.all(
          'SELECT n.sealed_at, length(e.body) AS length, e.* FROM audit_entry AS n JOIN audit_event AS e ON e.id = n.event_id WHERE idx = 4',
        );
        forgeRow(raw, [4, row?.sealed_at, row?.length, 60, row?.id, LOG, row?.time]);
        raw.exec('UPDATE audit_event SET ip = 5 WHERE id = (SELECT event_id FROM audit_entry WHERE idx = 4)');
      },
    ],
    [
      'a text forges the fields of a row that takes no bytes',
      (raw) => forgeRow(raw, [3.5, 0, -64, 60, 'id', LOG, 'time']),
    ],
    ['a text has an end in it', setEvent('actor_id', "'ada' || char(31) || 'x'")],
    [
      'a text with ends in it takes the place of one that swallows as many',
      (raw) => {
        setEvent('actor_id', "'ada' || char(31) || 'Patient'")(raw);
        setEvent('resource_type', "''")(raw);
      },
    ],
  ];
  it.each(cases)('%s', async (_, tamper) => {
    await tampered(tamper);
    expect(whole(tryReadPackedEntries)).toBeNull();
    const all = whole(readEntryColumns);
    expect(all?.length).toBeGreaterThanOrEqual(COUNT);
    expect(byPages(3)).toEqual(all);
  });

  it('the columns do not tell case apart, so that an entry finds the event of another id', async () => {
    await tampered((raw) => {
      raw.exec(`CREATE TABLE loose AS SELECT * FROM audit_event; DROP TABLE audit_event;
        CREATE TABLE audit_event (id TEXT COLLATE NOCASE, log TEXT COLLATE NOCASE, body, leaf, time, action, category, outcome,
          actor_type, actor_id, resource_type, resource_id, tenant, request_id, transaction_id, ip);
        INSERT INTO audit_event SELECT * FROM loose; DROP TABLE loose;
        UPDATE audit_event SET id = 'ABC' WHERE ${EVENT_3};
        UPDATE audit_entry SET event_id = 'abc' WHERE idx = 3`);
      // The entry's own column has to agree to be found so.
      raw.exec(`CREATE TABLE loose (log, idx, event_id TEXT COLLATE NOCASE, leaf, hash, sealed_at);
        INSERT INTO loose SELECT * FROM audit_entry; DROP TABLE audit_entry; ALTER TABLE loose RENAME TO audit_entry`);
    });
    expect(whole(tryReadPackedEntries)).toBeNull();
    const [, , , fourth] = whole(readEntryColumns) ?? [];
    expect([fourth?.eventId, fourth?.event?.id]).toEqual(['abc', 'ABC']);
  });

  it("the entry's log is a number in a column that is declared as text, which compares as that text", async () => {
    await tampered((raw) => {
      raw.exec(`UPDATE audit_event SET log = '5' WHERE ${EVENT_3}; UPDATE audit_entry SET log = 5 WHERE idx = 3;
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'log', 'log TEXT') WHERE name = 'audit_entry';
        PRAGMA writable_schema = RESET`);
    });
    const [row] = whole(readEntryColumns, '5') ?? [];
    expect([row?.log, row?.event?.log]).toEqual(['\x005', '5']);
    expect(whole(tryReadPackedEntries, '5')).toBeNull();
  });

  it('the database is not in UTF-8', async () => {
    const raw = openLibsql(file);
    raw.exec("PRAGMA encoding = 'UTF-16le'; CREATE TABLE first (x)");
    raw.close();
    await seal();
    expect(whole(tryReadPackedEntries)).toBeNull();
    expect(byPages(3)).toHaveLength(COUNT);
    expect(byPages(3)).toEqual(whole(readEntryColumns));
  });

  it('the library has a SQLite older than 3.44', async () => {
    await seal();
    const libsql = createLibsqlDriver();
    const old: SqliteDriver = {
      library: 'libsql',
      open: (name, options) => {
        const connection = libsql.open(name, options);
        return { ...connection, prepare: (sql) => connection.prepare(sql.replaceAll('concat(', 'unknown(')) };
      },
    };
    connected((connection) => {
      expect(tryReadPackedEntries(connection, LOG, LEAST, GREATEST, 100)).toBeNull();
      expect(new EntryPages(LOG, GREATEST).read(connection, LEAST).items).toHaveLength(COUNT);
    }, old);
  });
});

test('a text that is no UTF-8 is not read packed', async () => {
  await tampered(setEvent('actor_id', "CAST(x'61ff' AS TEXT)"));
  expect(whole(tryReadPackedEntries)).toBeNull();
});

test('a NUL in a column is not what the column says without it', async () => {
  await tampered(setEvent('actor_id', "actor_id || char(0) || 'x'"));
  const fourth = whole(tryReadPackedEntries)?.[3];
  expect(fourth?.event?.columns.actorId).toBe('writer-1\0x');
});

test.each([2, 3, 4, 7, 8, 9])(
  'pages of %i rows give every row once, and every one of an index that is there twice',
  async (limit) => {
    await tampered(() => {});
    expect(byPages(limit)).toEqual(whole(readEntryColumns));
    const raw = openLibsql(file);
    raw.exec('INSERT INTO audit_entry SELECT * FROM audit_entry WHERE idx IN (1, 2, 5, 7)');
    raw.close();
    expect(byPages(limit)).toEqual(whole(readEntryColumns));
    expect(byPages(limit)).toHaveLength(COUNT + 4);
  },
);
