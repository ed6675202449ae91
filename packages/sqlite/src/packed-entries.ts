import type { StoredEntry } from '@indelible/core';
import type { Connection } from './connection.js';
import type { Page } from './read-pages.js';

/** Ends each text of a packed row. */
const END = '\x1f';

const TEXTS = [
  'e.id',
  'e.log',
  'e.time',
  'e.action',
  'e.category',
  'e.outcome',
  'e.actor_type',
  'e.actor_id',
];
const NULLABLE_TEXTS = [
  'e.resource_type',
  'e.resource_id',
  'e.tenant',
  'e.request_id',
  'e.transaction_id',
  'e.ip',
];
const HASH_BYTES = 32;
/** What an event takes by default. */
const LONGEST_BODY = 65_536;

/** Which of the nullable texts are NULL, one bit each: in the packed row they are as empty as an empty one. */
const NULLS = NULLABLE_TEXTS.map((column, bit) => `(${column} IS NULL) * ${1 << bit}`).join(' + ');
const FIELDS = [
  'n.idx',
  'n.sealed_at',
  'length(e.body)',
  NULLS,
  ...TEXTS,
  ...NULLABLE_TEXTS.map((column) => `ifnull(${column}, '')`),
];

/** `typeof` and no comparison: those convert between text and numbers as the column's declared type says. */
const DECLARED_TYPES = [
  ...['n.log', 'n.event_id', ...TEXTS].map((column) => `typeof(${column}) = 'text'`),
  ...NULLABLE_TEXTS.map((column) => `(typeof(${column}) = 'text' OR ${column} IS NULL)`),
  ...['n.leaf', 'n.hash', 'e.body'].map((column) => `typeof(${column}) = 'blob'`),
  "typeof(n.sealed_at) = 'integer'",
].join(' AND ');
/** What stands in both rows is read once; a BLOB equals nothing but a BLOB. A table that was made anew may have a collation to which unlike texts are alike. */
const SAME_IN_BOTH = 'n.event_id = e.id COLLATE BINARY AND n.log = e.log COLLATE BINARY AND n.leaf = e.leaf';
const DECLARED_LENGTHS = `length(n.leaf) = ${HASH_BYTES} AND length(n.hash) = ${HASH_BYTES}
  AND length(e.body) <= ?`;

/**
 * `concat`, because a chain of `||` copies what it has at each step. Not `concat_ws`, which up to SQLite 3.47 leaves an
 * empty text out with its separator. Where the database's encoding is not UTF-8, a cast to BLOB gives other bytes.
 */
const PACKED = `SELECT CAST('a' AS BLOB) = x'61', count(*), count(texts), count(bytes), CAST(group_concat(texts, '') AS BLOB),
    CAST(group_concat(bytes, '') AS BLOB)
  FROM (SELECT
      CASE WHEN ${DECLARED_TYPES} AND ${SAME_IN_BOTH} THEN concat(${FIELDS.map((field) => `${field}, char(${END.charCodeAt(0)})`).join(', ')}) END AS texts,
      CASE WHEN ${DECLARED_LENGTHS} THEN n.leaf || n.hash || e.body END AS bytes
    FROM audit_entry AS n LEFT JOIN audit_event AS e ON e.id = n.event_id
    WHERE n.log = ? AND n.idx >= ? AND n.idx <= ? AND typeof(n.idx) = 'integer'
    ORDER BY n.idx LIMIT ?)`;

/** Fatal, because what is no UTF-8 must not look like something that is. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Entries with an index from `from` to `last`, read as two values a page: a library takes longer to make one of each column
 * than SQLite takes to find them all. They are those that the columns give, or this is null: where any row of the page is
 * not exactly of the form in which the store writes it or has a longer body, where two have one index, or where this SQLite
 * can not do it.
 *
 * @param limit at least 2
 * @param longest of the bodies, in bytes
 */
export function tryReadPackedEntries(
  connection: Connection,
  log: string,
  from: bigint,
  last: bigint,
  limit: number,
  longest: number = LONGEST_BODY,
): Page<StoredEntry, bigint> | null {
  const row = tryRead(connection, [BigInt(longest), log, from, last, BigInt(limit)]);
  if (row === null) return null;
  const [isUtf8, rows, withTexts, withBytes, packedTexts, packedBytes] = row;
  if (isUtf8 !== 1n || withTexts !== rows || withBytes !== rows) return null;
  if (rows === 0n) return { items: [], next: undefined };
  if (!(packedTexts instanceof Uint8Array) || !(packedBytes instanceof Uint8Array)) return null;
  const texts = trySplit(packedTexts, Number(rows));
  if (texts === null) return null;
  const items = tryUnpack(texts, packedBytes);
  if (items === null || Number(rows) < limit) return items && { items, next: undefined };
  // Whether another row has the last index shows on the next page only, so this one goes there too.
  items.pop();
  return { items, next: BigInt(texts[texts.length - FIELDS.length] ?? '') };
}

/** What fails here is tried again by columns, which has the last word. */
function tryRead(
  connection: Connection,
  params: [longest: bigint, log: string, from: bigint, last: bigint, limit: bigint],
): readonly unknown[] | null {
  try {
    return connection.all(PACKED, params)[0] ?? null;
  } catch {
    return null;
  }
}

/** The fields of all rows, or null where one of them has an END in it, which would put it in another one's place. */
function trySplit(packed: Uint8Array, rows: number): string[] | null {
  let text: string;
  try {
    text = utf8.decode(packed);
  } catch {
    return null;
  }
  const fields = text.split(END);
  return fields.pop() === '' && fields.length === rows * FIELDS.length ? fields : null;
}

function tryUnpack(texts: readonly string[], packed: Uint8Array): StoredEntry[] | null {
  // A Buffer's `subarray` takes three times as long.
  const bytes = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
  const items: StoredEntry[] = [];
  let start = 0;
  let sealedText = '';
  let sealedAt = 0n;
  let lastIndex = Number.NEGATIVE_INFINITY;
  const text = (at: number): string => texts[at] ?? '';
  const nullable = (nulls: number, at: number, bit: number): string | null =>
    (nulls & (1 << bit)) === 0 ? text(at + bit) : null;
  for (let at = 0; at < texts.length; at += FIELDS.length) {
    const index = Number(text(at));
    if (index <= lastIndex) return null;
    lastIndex = index;
    if (text(at + 1) !== sealedText) {
      sealedText = text(at + 1);
      sealedAt = BigInt(sealedText);
    }
    const nulls = Number(text(at + 3));
    const body = start + 2 * HASH_BYTES;
    const end = body + Number(text(at + 2));
    const id = text(at + 4);
    const log = text(at + 5);
    const leaf = bytes.subarray(start, start + HASH_BYTES);
    items.push({
      log,
      index,
      eventId: id,
      leaf,
      hash: bytes.subarray(start + HASH_BYTES, body),
      sealedAt,
      event: {
        id,
        log,
        body: bytes.subarray(body, end),
        leaf,
        columns: {
          time: text(at + 6),
          action: text(at + 7),
          category: text(at + 8),
          outcome: text(at + 9),
          actorType: text(at + 10),
          actorId: text(at + 11),
          resourceType: nullable(nulls, at + 12, 0),
          resourceId: nullable(nulls, at + 12, 1),
          tenant: nullable(nulls, at + 12, 2),
          requestId: nullable(nulls, at + 12, 3),
          transactionId: nullable(nulls, at + 12, 4),
          ip: nullable(nulls, at + 12, 5),
        },
      },
    });
    start = end;
  }
  return start === bytes.length ? items : null;
}
