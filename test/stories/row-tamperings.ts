import { leafOf, linkOf } from './forged-hashes.js';
import { inLog, LOG, type Tampering } from './tampering.js';

const COLUMNS = [
  'time',
  'action',
  'category',
  'outcome',
  'actor_type',
  'actor_id',
  'resource_type',
  'resource_id',
  'tenant',
  'request_id',
  'transaction_id',
  'ip',
] as const;
const NULLABLE = COLUMNS.slice(6);

/** Where in a body a byte is flipped: 0 to 1. */
const PLACES = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1];

const flips: readonly Tampering[] = PLACES.flatMap((place) =>
  [0, 3, 7].map((index) => ({
    name: `a bit of the body of entry ${index} is flipped at ${place * 100} %`,
    tamper: (file) => {
      const id = file.id(LOG, index);
      const body = Buffer.from(file.body(id));
      const at = Math.floor((body.length - 1) * place);
      // The lowest bit: the bytes may well be JSON of an event still.
      body[at] = (body[at] ?? 0) ^ 1;
      file.run('UPDATE audit_event SET body = ? WHERE id = ?', body, id);
    },
    expected: inLog(['AUDIT_BODY_MISMATCH', index]),
  })),
);

const columns: readonly Tampering[] = [
  ...COLUMNS.map((column) => ({ column, value: 'x', what: 'edited' })),
  ...NULLABLE.map((column) => ({ column, value: null, what: 'set to NULL' })),
  ...NULLABLE.map((column) => ({ column, value: '', what: 'emptied' })),
].map(({ column, value, what }) => ({
  name: `only the column ${column} is ${what}`,
  tamper: (file) => file.run(`UPDATE audit_event SET ${column} = ? WHERE id = ?`, value, file.id(LOG, 3)),
  expected: inLog(['AUDIT_COLUMN_MISMATCH', 3]),
}));

/** In a table that was rebuilt without types, a column can hold the same characters as another type, which no query finds. */
const types: readonly Tampering[] = [
  {
    name: 'a query column is made bytes, which no query for the text finds',
    tamper: (file) => {
      file.loosen('audit_event');
      file.run('UPDATE audit_event SET actor_id = CAST(actor_id AS BLOB) WHERE id = ?', file.id(LOG, 3));
    },
    expected: inLog(['AUDIT_COLUMN_MISMATCH', 3]),
  },
  {
    name: 'a query column is made a number, which no query for the text finds',
    tamper: (file) => {
      file.loosen('audit_event');
      file.run(
        'UPDATE audit_event SET resource_id = CAST(resource_id AS INTEGER) WHERE id = ?',
        file.id(LOG, 3),
      );
    },
    expected: inLog(['AUDIT_COLUMN_MISMATCH', 3]),
  },
];

export const ROW_TAMPERINGS: readonly Tampering[] = [
  ...flips,
  ...columns,
  ...types,
  {
    name: 'body and leaf of an event are edited',
    tamper: (file) => void file.editBody(LOG, 3, { withLeaf: true }),
    expected: inLog(['AUDIT_LEAF_MISMATCH', 3]),
  },
  {
    name: 'body and both leaves are edited',
    tamper: (file) => file.setLeaf(LOG, 3, file.editBody(LOG, 3, { withLeaf: true })),
    expected: inLog(['AUDIT_TREE_MISMATCH', null], ['AUDIT_LINK_MISMATCH', 3]),
  },
  {
    name: 'body, leaves and hash are edited by somebody without the key',
    tamper: (file) => {
      const leaf = file.editBody(LOG, 3, { withLeaf: true });
      file.setLeaf(LOG, 3, leaf);
      const { sealed_at } = file.entry(LOG, 3);
      const hash = linkOf(undefined, file.entry(LOG, 2).hash, 3n, sealed_at, leaf);
      file.run('UPDATE audit_entry SET hash = ? WHERE log = ? AND idx = 3', hash, LOG);
    },
    // The last one: what entry 4 is linked to is neither what stands there nor what should.
    expected: inLog(['AUDIT_TREE_MISMATCH', null], ['AUDIT_LINK_MISMATCH', 3], ['AUDIT_LINK_MISMATCH', 4]),
  },
  {
    name: 'the leaf of an event is edited',
    tamper: (file) =>
      file.run('UPDATE audit_event SET leaf = ? WHERE id = ?', Buffer.alloc(32, 7), file.id(LOG, 3)),
    expected: inLog(['AUDIT_BODY_MISMATCH', 3], ['AUDIT_LEAF_MISMATCH', 3]),
  },
  {
    name: 'the time of sealing is edited',
    tamper: (file) =>
      file.run('UPDATE audit_entry SET sealed_at = sealed_at + 1 WHERE log = ? AND idx = 3', LOG),
    expected: inLog(['AUDIT_LINK_MISMATCH', 3]),
  },
  {
    name: 'the body is emptied',
    tamper: (file) => file.run("UPDATE audit_event SET body = x'' WHERE id = ?", file.id(LOG, 3)),
    expected: inLog(['AUDIT_BODY_MISMATCH', 3], ['AUDIT_EVENT_UNREADABLE', 3]),
  },
  {
    name: 'the body is replaced by that of another entry, with its leaf and columns',
    tamper: (file) => {
      const id = file.id(LOG, 3);
      const body = file.body(file.id(LOG, 4));
      file.run('UPDATE audit_event SET body = ?, leaf = ? WHERE id = ?', body, leafOf(body), id);
      file.run(
        `UPDATE audit_event SET (time, actor_id, resource_id, request_id, transaction_id) =
          (SELECT time, actor_id, resource_id, request_id, transaction_id FROM audit_event WHERE id = ?) WHERE id = ?`,
        file.id(LOG, 4),
        id,
      );
    },
    expected: inLog(['AUDIT_LEAF_MISMATCH', 3], ['AUDIT_COLUMN_MISMATCH', 3]),
  },
];
