import { inLog, LOG, OTHER, type Tampering } from './tampering.js';

const setHead = (set: string, where = LOG) => `UPDATE audit_head SET ${set} WHERE log = '${where}'`;

export const HEAD_TAMPERINGS: readonly Tampering[] = [
  {
    name: 'the size of the head is raised',
    tamper: (file) => file.run(setHead('size = 9')),
    expected: inLog(['AUDIT_HEAD_INVALID', null], ['AUDIT_ENTRY_MISSING', 8]),
  },
  {
    name: 'the size of the head is lowered',
    tamper: (file) => file.run(setHead('size = 7')),
    expected: inLog(
      ['AUDIT_HEAD_INVALID', null],
      ['AUDIT_HEAD_MISMATCH', null],
      ['AUDIT_TREE_MISMATCH', null],
      ['AUDIT_ENTRY_UNEXPECTED', 7],
    ),
  },
  {
    name: 'the size of the head is set below zero',
    tamper: (file) => file.run(setHead('size = -1')),
    expected: inLog(
      ['AUDIT_HEAD_INVALID', null],
      ...Array.from({ length: 8 }, (_, index) => ['AUDIT_ENTRY_UNEXPECTED', index] as const),
    ),
  },
  {
    name: 'the size of the head is set beyond all numbers',
    tamper: (file) => file.run(setHead('size = 9223372036854775807')),
    expected: inLog(['AUDIT_HEAD_INVALID', null], ['AUDIT_ENTRY_MISSING', 8]),
  },
  {
    name: 'the last link of the head is edited',
    tamper: (file) => file.run(setHead('hash = zeroblob(32)')),
    expected: inLog(['AUDIT_HEAD_INVALID', null], ['AUDIT_HEAD_MISMATCH', null]),
  },
  {
    name: 'the compact range of the head is edited',
    tamper: (file) => file.run(setHead('range = zeroblob(32)')),
    expected: inLog(['AUDIT_HEAD_INVALID', null], ['AUDIT_TREE_MISMATCH', null]),
  },
  {
    name: 'a byte wanders from the link of the head to its range',
    tamper: (file) =>
      file.run(setHead('range = CAST(substr(hash, 32) || range AS BLOB), hash = substr(hash, 1, 31)')),
    expected: inLog(
      ['AUDIT_HEAD_INVALID', null],
      ['AUDIT_HEAD_MISMATCH', null],
      ['AUDIT_TREE_MISMATCH', null],
    ),
  },
  {
    name: 'the MAC of the head is edited',
    tamper: (file) => file.run(setHead('mac = zeroblob(32)')),
    expected: inLog(['AUDIT_HEAD_INVALID', null]),
  },
  {
    name: 'the MAC of the head is emptied',
    tamper: (file) => file.run(setHead("mac = x''")),
    expected: inLog(['AUDIT_HEAD_INVALID', null]),
  },
  {
    name: 'the MAC of the head is taken away',
    tamper: (file) => file.run(setHead('mac = NULL')),
    expected: inLog(['AUDIT_HEAD_UNKEYED', null]),
  },
  {
    name: 'the heads of two logs are swapped',
    tamper: (file) =>
      file.run(
        `${setHead("log = 'x'")}; ${setHead(`log = '${LOG}'`, OTHER)}; ${setHead(`log = '${OTHER}'`, 'x')}`,
      ),
    expected: [
      [OTHER, 'AUDIT_HEAD_INVALID', null],
      [OTHER, 'AUDIT_ENTRY_MISSING', 3],
      [LOG, 'AUDIT_HEAD_INVALID', null],
      [LOG, 'AUDIT_HEAD_MISMATCH', null],
      [LOG, 'AUDIT_TREE_MISMATCH', null],
      ...Array.from({ length: 5 }, (_, n) => [LOG, 'AUDIT_ENTRY_UNEXPECTED', n + 3] as const),
    ],
  },
  {
    name: 'an event that waits is edited',
    pending: true,
    tamper: (file) =>
      file.run(
        "UPDATE audit_event SET body = CAST(body || x'20' AS BLOB) WHERE id IN (SELECT max(id) FROM audit_pending)",
      ),
    expected: inLog(['AUDIT_PENDING_MISMATCH', null]),
  },
  {
    name: 'an event that waits is deleted, and its place stays',
    pending: true,
    tamper: (file) => file.run('DELETE FROM audit_event WHERE id IN (SELECT max(id) FROM audit_pending)'),
    expected: inLog(['AUDIT_PENDING_STRAY', null]),
  },
  {
    name: 'an event that waits loses its place',
    pending: true,
    tamper: (file) => file.run('DELETE FROM audit_pending WHERE id = (SELECT max(id) FROM audit_pending)'),
    expected: inLog(['AUDIT_EVENT_ORPHANED', null]),
  },
  {
    name: 'an event that waits is deleted with its place: the documented window, listed as not checked',
    pending: true,
    tamper: (file) => {
      const [last] = file.rows<{ id: string }>('SELECT max(id) AS id FROM audit_pending');
      file.run('DELETE FROM audit_pending WHERE id = ?', last?.id);
      file.run('DELETE FROM audit_event WHERE id = ?', last?.id);
    },
    expected: [],
    notChecked: [[LOG, 'pending']],
  },
  {
    name: 'an event that waits is moved to another log',
    pending: true,
    tamper: (file) => {
      file.run(`UPDATE audit_event SET log = '${OTHER}' WHERE id = (SELECT max(id) FROM audit_pending)`);
      file.run(`UPDATE audit_pending SET log = '${OTHER}' WHERE id = (SELECT max(id) FROM audit_pending)`);
    },
    expected: [[OTHER, 'AUDIT_LOG_MISMATCH', null]],
  },
];
