import type { PlainRow, Snapshot } from '@indelible/capture/conformance';
import type { JsonObject, JsonValue } from '@indelible/core';

/** What a field is, whatever its database stores it as. */
export type FieldKind = 'text' | 'whole' | 'boolean' | 'decimal' | 'json' | 'bytes' | 'instant';

/** One database's way to read the domain. A converter never gets null. */
export interface DomainReader {
  /** The rows of one table, each with its columns in this order. */
  rows(
    table: string,
    columns: readonly { readonly name: string; readonly kind: FieldKind }[],
  ): Promise<readonly (readonly unknown[])[]>;
  readonly convert: Readonly<Record<FieldKind, (value: unknown) => JsonValue>>;
}

export type DomainTables = Readonly<
  Record<
    string,
    { model: string; key: readonly string[]; columns: Readonly<Record<string, [string, FieldKind]>> }
  >
>;

/** Written down here a second time, apart from the code under test: how each column reads in an event. */
const TABLES: DomainTables = {
  User: {
    model: 'User',
    key: ['id'],
    columns: {
      id: ['id', 'whole'],
      email: ['email', 'text'],
      name: ['name', 'text'],
      password: ['password', 'text'],
      active: ['active', 'boolean'],
      score: ['score', 'whole'],
      balance: ['balance', 'decimal'],
      visits: ['visits', 'text'],
      avatar: ['avatar', 'bytes'],
      settings: ['settings', 'json'],
      role: ['role', 'text'],
      createdAt: ['createdAt', 'instant'],
      updatedAt: ['updatedAt', 'instant'],
      deletedAt: ['deletedAt', 'instant'],
      managerId: ['managerId', 'whole'],
    },
  },
  Profile: {
    model: 'Profile',
    key: ['id'],
    columns: { id: ['id', 'text'], bio: ['bio', 'text'], userId: ['userId', 'whole'] },
  },
  posts: {
    model: 'Post',
    key: ['id'],
    columns: {
      id: ['id', 'whole'],
      title: ['title', 'text'],
      content: ['body', 'text'],
      views: ['views', 'whole'],
      authorId: ['authorId', 'whole'],
    },
  },
  Comment: {
    model: 'Comment',
    key: ['id'],
    columns: {
      id: ['id', 'whole'],
      text: ['text', 'text'],
      postId: ['postId', 'whole'],
      parentId: ['parentId', 'whole'],
    },
  },
  Tag: { model: 'Tag', key: ['code'], columns: { code: ['code', 'text'], label: ['label', 'text'] } },
  Membership: {
    model: 'Membership',
    key: ['org', 'seat'],
    columns: {
      org: ['org', 'text'],
      seat: ['seat', 'whole'],
      level: ['level', 'text'],
      note: ['note', 'text'],
    },
  },
  order: {
    model: 'Order',
    key: ['id'],
    columns: { id: ['id', 'text'], Group: ['group', 'text'], total: ['total', 'whole'] },
  },
};

const PRISMA_LINKS: DomainTables = {
  _Friends: { model: 'Friends', key: ['A', 'B'], columns: { A: ['A', 'text'], B: ['B', 'text'] } },
  _PostToTag: { model: 'PostToTag', key: ['A', 'B'], columns: { A: ['Post', 'text'], B: ['Tag', 'text'] } },
};

/** All tables, as the reader reads them. @param links the relation tables, which each ORM calls by names of its own */
export async function readSnapshot(
  reader: DomainReader,
  links: DomainTables = PRISMA_LINKS,
): Promise<Snapshot> {
  const snapshot = new Map<string, Map<string, JsonObject>>();
  for (const [table, { model, key, columns }] of Object.entries({ ...TABLES, ...links })) {
    const described = Object.entries(columns).map(([name, [field, kind]]) => ({ name, field, kind }));
    const byId = new Map<string, JsonObject>();
    for (const row of await reader.rows(table, described)) {
      const entries = described.map(({ field, kind }, position): [string, JsonValue] => {
        const value = row[position] ?? null;
        return [field, value === null ? null : reader.convert[kind](value)];
      });
      const fields = Object.fromEntries(entries);
      const keys = key.map((name) => columns[name]?.[0] ?? name);
      const id =
        keys.length === 1
          ? String(fields[keys[0] ?? ''])
          : JSON.stringify(Object.fromEntries(keys.map((name) => [name, fields[name]])));
      byId.set(id, fields);
    }
    snapshot.set(model, byId);
  }
  return snapshot;
}

/** A row of Prisma in plain values. */
export function plainRow(row: object): PlainRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'object' && value !== null && 'toFixed' in value) return String(value);
  return value;
}

/** The same at any depth. */
export function plainDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainDeep);
  const plain = plainValue(value);
  if (typeof plain !== 'object' || plain === null) return plain;
  return Object.fromEntries(Object.entries(plain).map(([name, inner]) => [name, plainDeep(inner)]));
}
