import {
  ALL_INDEXES,
  inLog,
  LOG,
  linksOf,
  OTHER,
  OTHER_SECRET,
  SECRET,
  SIZE,
  type Tampering,
} from './tampering.js';

const ROLLBACK = [
  [LOG, 'rollback'],
  [OTHER, 'rollback'],
] as const;

/** The largest and smallest index that SQLite can hold. */
const EDGES = ['9223372036854775807', '-9223372036854775808', '-9007199254740993', '9007199254740993'];

const hidden: readonly Tampering[] = EDGES.map((index) => ({
  name: `a forged entry hides at the index ${index}`,
  tamper: (file) => {
    const { id, leaf } = file.forgeEvent(LOG, 3);
    file.run('DELETE FROM audit_pending');
    file.addEntry(LOG, BigInt(index), id, leaf);
  },
  expected:
    BigInt(index) < 0n
      ? inLog(['AUDIT_ENTRY_UNEXPECTED', Number(index)])
      : inLog(['AUDIT_ENTRY_UNEXPECTED', Number(index)]),
}));

export const LOG_TAMPERINGS: readonly Tampering[] = [
  ...[0, 3, SIZE - 1].map(
    (index): Tampering => ({
      name: `entry ${index} is deleted with its event`,
      tamper: (file) => file.deleteEntry(LOG, index),
      expected: inLog(['AUDIT_ENTRY_MISSING', index]),
    }),
  ),
  {
    name: 'the event of an entry is deleted',
    tamper: (file) => file.run('DELETE FROM audit_event WHERE id = ?', file.id(LOG, 3)),
    expected: inLog(['AUDIT_EVENT_MISSING', 3]),
  },
  {
    name: 'an entry is deleted and its event stays',
    tamper: (file) => file.run('DELETE FROM audit_entry WHERE log = ? AND idx = 3', LOG),
    expected: inLog(['AUDIT_EVENT_ORPHANED', null], ['AUDIT_ENTRY_MISSING', 3]),
  },
  {
    name: 'an entry is deleted and its event put back among those that wait',
    tamper: (file) => {
      const id = file.id(LOG, 3);
      file.run('DELETE FROM audit_entry WHERE event_id = ?', id);
      file.run('INSERT INTO audit_pending (log, id) VALUES (?, ?)', LOG, id);
    },
    expected: inLog(['AUDIT_ENTRY_MISSING', 3]),
  },
  {
    name: 'the tail is cut and the head made to fit, with its old MAC',
    tamper: (file) => {
      file.deleteEntry(LOG, 7);
      file.rehead(LOG, undefined);
    },
    expected: inLog(['AUDIT_HEAD_INVALID', null]),
  },
  {
    name: 'the tail is cut and the head made to fit, with no MAC',
    tamper: (file) => {
      file.deleteEntry(LOG, 7);
      file.rehead(LOG, null);
    },
    expected: inLog(['AUDIT_HEAD_UNKEYED', null]),
  },
  {
    name: 'the tail is cut and the head made to fit with the stolen key: nothing in the file can tell',
    tamper: (file) => {
      file.deleteEntry(LOG, 7);
      file.rehead(LOG, SECRET);
    },
    expected: [],
    notChecked: ROLLBACK,
  },
  {
    name: 'the log is emptied and its head stays',
    tamper: (file) =>
      file.run(`DELETE FROM audit_entry WHERE log = '${LOG}'; DELETE FROM audit_event WHERE log = '${LOG}'`),
    expected: inLog(['AUDIT_ENTRY_MISSING', 0]),
  },
  {
    name: 'the log is emptied and the head set to nothing',
    tamper: (file) => {
      file.run(`DELETE FROM audit_entry WHERE log = '${LOG}'; DELETE FROM audit_event WHERE log = '${LOG}'`);
      file.rehead(LOG, undefined);
    },
    expected: inLog(['AUDIT_HEAD_INVALID', null]),
  },
  {
    name: 'the log is dropped with every row of it: listed as not checked',
    tamper: (file) => {
      for (const table of ['audit_entry', 'audit_event', 'audit_head', 'audit_pending'])
        file.run(`DELETE FROM ${table} WHERE log = '${LOG}'`);
    },
    expected: [],
    notChecked: [
      [OTHER, 'dropped-logs'],
      [OTHER, 'rollback'],
    ],
  },
  {
    name: 'the head is deleted',
    tamper: (file) => file.run(`DELETE FROM audit_head WHERE log = '${LOG}'`),
    expected: inLog(['AUDIT_HEAD_MISSING', null]),
  },
  {
    name: 'a forged entry is added by somebody without the key',
    tamper: (file) => {
      const { id, leaf } = file.forgeEvent(LOG, 3);
      file.run('DELETE FROM audit_pending');
      file.addEntry(LOG, SIZE, id, leaf);
    },
    expected: inLog(['AUDIT_ENTRY_UNEXPECTED', SIZE], ['AUDIT_LINK_MISMATCH', SIZE]),
  },
  ...hidden,
  {
    name: 'a forged entry hides at an index that is no integer',
    tamper: (file) => {
      const { id, leaf } = file.forgeEvent(LOG, 3);
      file.run('DELETE FROM audit_pending');
      file.loosen('audit_entry');
      file.addEntry(LOG, 100, id, leaf);
      file.run('UPDATE audit_entry SET idx = 3.5 WHERE event_id = ?', id);
    },
    expected: inLog(['AUDIT_EVENT_ORPHANED', null]),
  },
  {
    name: 'an index is made a text',
    tamper: (file) => {
      file.loosen('audit_entry');
      file.run("UPDATE audit_entry SET idx = '3' WHERE log = ? AND idx = 3", LOG);
    },
    expected: inLog(['AUDIT_EVENT_ORPHANED', null], ['AUDIT_ENTRY_MISSING', 3]),
  },
  ...["x'ff'", "''", '7', 'NULL'].map(
    (id): Tampering => ({
      name: `a forged event has the id ${id}`,
      tamper: (file) => {
        const forged = file.forgeEvent(LOG, 3);
        file.run('DELETE FROM audit_pending');
        file.loosen('audit_event');
        file.run(`UPDATE audit_event SET id = ${id} WHERE id = '${forged.id}'`);
      },
      expected: inLog(['AUDIT_EVENT_ORPHANED', null]),
    }),
  ),
  {
    name: 'a forged event has its entry in a log of its own',
    tamper: (file) => {
      const { id, leaf } = file.forgeEvent(LOG, 3);
      file.addEntry(OTHER, 3, id, leaf);
    },
    expected: [
      [OTHER, 'AUDIT_ENTRY_UNEXPECTED', 3],
      [OTHER, 'AUDIT_LINK_MISMATCH', 3],
      [OTHER, 'AUDIT_LOG_MISMATCH', 3],
      [OTHER, 'AUDIT_LOG_MISMATCH', 3],
      [LOG, 'AUDIT_EVENT_ORPHANED', null],
    ],
  },
  {
    name: 'an event stands there without a place anywhere',
    tamper: (file) => void file.forgeEvent(LOG, 3),
    expected: inLog(['AUDIT_EVENT_ORPHANED', null]),
  },
  {
    name: 'an event of a log without a name stands there',
    tamper: (file) => {
      const { id } = file.forgeEvent(LOG, 3);
      file.run("UPDATE audit_event SET log = '' WHERE id = ?", id);
    },
    expected: [['', 'AUDIT_EVENT_ORPHANED', null]],
    notChecked: [['', 'no-head']],
  },
  {
    name: 'an entry stands there twice, and the keys of the table are gone',
    tamper: (file) => {
      file.loosen('audit_entry');
      file.run(`INSERT INTO audit_entry SELECT * FROM audit_entry WHERE log = '${LOG}' AND idx = 3`);
    },
    expected: inLog(['AUDIT_ENTRY_DUPLICATE', 3]),
  },
  {
    name: 'an event gets a second entry with the stolen key, and the keys of the table are gone',
    tamper: (file) => {
      file.loosen('audit_entry');
      const { event_id, leaf } = file.entry(LOG, 3);
      file.addEntry(LOG, SIZE, event_id, leaf, SECRET);
      file.rehead(LOG, SECRET);
    },
    expected: inLog(['AUDIT_ENTRY_DUPLICATE', SIZE]),
  },
  {
    name: 'two entries are swapped',
    tamper: (file) =>
      file.run(`UPDATE audit_entry SET idx = 100 WHERE log = '${LOG}' AND idx = 2;
        UPDATE audit_entry SET idx = 2 WHERE log = '${LOG}' AND idx = 5;
        UPDATE audit_entry SET idx = 5 WHERE log = '${LOG}' AND idx = 100`),
    expected: [...inLog(['AUDIT_TREE_MISMATCH', null]), ...linksOf([2, 3, 5, 6])],
  },
  {
    name: 'two events are swapped under their entries',
    tamper: (file) => {
      const [one, other] = [file.id(LOG, 2), file.id(LOG, 5)];
      file.run(`UPDATE audit_event SET id = 'x' WHERE id = '${one}';
        UPDATE audit_event SET id = '${one}' WHERE id = '${other}'; UPDATE audit_event SET id = '${other}' WHERE id = 'x'`);
    },
    expected: inLog(
      ['AUDIT_LEAF_MISMATCH', 2],
      ['AUDIT_COLUMN_MISMATCH', 2],
      ['AUDIT_LEAF_MISMATCH', 5],
      ['AUDIT_COLUMN_MISMATCH', 5],
    ),
  },
  {
    name: 'an entry is moved to another log with its event',
    tamper: (file) => {
      const id = file.id(LOG, 7);
      file.run('UPDATE audit_event SET log = ? WHERE id = ?', OTHER, id);
      file.run('UPDATE audit_entry SET log = ?, idx = 3 WHERE event_id = ?', OTHER, id);
    },
    expected: [
      [OTHER, 'AUDIT_ENTRY_UNEXPECTED', 3],
      [OTHER, 'AUDIT_LINK_MISMATCH', 3],
      [OTHER, 'AUDIT_LOG_MISMATCH', 3],
      [LOG, 'AUDIT_ENTRY_MISSING', 7],
    ],
  },
  {
    name: 'the whole log is given another name',
    tamper: (file) => {
      for (const table of ['audit_entry', 'audit_event', 'audit_head'])
        file.run(`UPDATE ${table} SET log = 'clinic/south' WHERE log = '${LOG}'`);
    },
    expected: [
      ['clinic/south', 'AUDIT_HEAD_INVALID', null],
      ['clinic/south', 'AUDIT_LINK_MISMATCH', 0],
      ...ALL_INDEXES.map((index) => ['clinic/south', 'AUDIT_LOG_MISMATCH', index] as const),
    ],
  },
  {
    name: 'the entries from the fifth on are renumbered',
    tamper: (file) => {
      for (let index = 7; index >= 4; index--)
        file.run(`UPDATE audit_entry SET idx = ${index + 1} WHERE log = '${LOG}' AND idx = ${index}`);
    },
    expected: inLog(
      ['AUDIT_HEAD_MISMATCH', null],
      ['AUDIT_ENTRY_MISSING', 4],
      ['AUDIT_LINK_MISMATCH', 6],
      ['AUDIT_LINK_MISMATCH', 7],
      ['AUDIT_ENTRY_UNEXPECTED', 8],
      ['AUDIT_LINK_MISMATCH', 8],
    ),
  },
  {
    name: 'everything is rewritten with another key',
    tamper: (file) => {
      file.editBody(LOG, 3, { withLeaf: true });
      file.relink(LOG, OTHER_SECRET);
      file.rehead(LOG, OTHER_SECRET);
    },
    expected: [...inLog(['AUDIT_HEAD_INVALID', null]), ...linksOf(ALL_INDEXES)],
  },
  {
    name: 'everything is rewritten without a key',
    tamper: (file) => {
      file.editBody(LOG, 3, { withLeaf: true });
      file.relink(LOG, undefined);
      file.rehead(LOG, null);
    },
    expected: [...inLog(['AUDIT_HEAD_UNKEYED', null]), ...linksOf(ALL_INDEXES)],
  },
  {
    name: 'everything is rewritten with the stolen key: nothing in the file can tell',
    tamper: (file) => {
      file.editBody(LOG, 3, { withLeaf: true });
      file.relink(LOG, SECRET);
      file.rehead(LOG, SECRET);
    },
    expected: [],
    notChecked: ROLLBACK,
  },
];
