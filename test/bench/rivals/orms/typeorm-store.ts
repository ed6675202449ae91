import { DataSource, type DataSourceOptions, type EntityManager, EntitySchema } from 'typeorm';
import type { RowStore, UserFields } from './row-store.js';

interface UserRow extends Required<UserFields> {
  id: number;
  posts: PostRow[];
}
interface PostRow {
  id: number;
  title: string;
  authorId: number;
  comments: { id: number; text: string; postId: number }[];
  tags: TagRow[];
}
interface TagRow {
  id: number;
  label: string;
}
interface ItemRow {
  id: number;
  code: string;
  name: string;
  note: string | null;
  status: string;
  stock: number;
}

const id = { type: 'int', primary: true, generated: 'increment' } as const;
const text = { type: 'text' } as const;

const User = new EntitySchema<UserRow & { manager: UserRow }>({
  name: 'User',
  tableName: 'User',
  columns: {
    id,
    email: { ...text, unique: true },
    name: { ...text, nullable: true },
    visits: { type: 'int', default: 0 },
    active: { type: Boolean, default: true },
    managerId: { type: 'int', nullable: true },
  },
  relations: {
    manager: {
      type: 'many-to-one',
      target: 'User',
      joinColumn: { name: 'managerId' },
      nullable: true,
      onDelete: 'SET NULL',
    },
    posts: { type: 'one-to-many', target: 'Post', inverseSide: 'author', cascade: true },
  },
});
const Post = new EntitySchema<PostRow & { author: UserRow }>({
  name: 'Post',
  tableName: 'Post',
  columns: { id, title: text, authorId: { type: 'int' } },
  relations: {
    author: {
      type: 'many-to-one',
      target: 'User',
      inverseSide: 'posts',
      joinColumn: { name: 'authorId' },
      onDelete: 'CASCADE',
      orphanedRowAction: 'delete',
    },
    comments: { type: 'one-to-many', target: 'Comment', inverseSide: 'post', cascade: true },
    tags: {
      type: 'many-to-many',
      target: 'Tag',
      cascade: ['insert'],
      joinTable: { name: '_PostToTag', joinColumn: { name: 'A' }, inverseJoinColumn: { name: 'B' } },
    },
  },
});
const Comment = new EntitySchema<PostRow['comments'][number] & { post: PostRow }>({
  name: 'Comment',
  tableName: 'Comment',
  columns: { id, text, postId: { type: 'int' } },
  relations: {
    post: {
      type: 'many-to-one',
      target: 'Post',
      inverseSide: 'comments',
      joinColumn: { name: 'postId' },
      onDelete: 'CASCADE',
    },
  },
});
const Tag = new EntitySchema<TagRow>({ name: 'Tag', tableName: 'Tag', columns: { id, label: text } });
const Membership = new EntitySchema<{ org: string; seat: number; level: string }>({
  name: 'Membership',
  tableName: 'Membership',
  columns: {
    org: { ...text, primary: true },
    seat: { type: 'int', primary: true },
    level: { ...text, default: 'basic' },
  },
});
const Item = new EntitySchema<ItemRow>({
  name: 'Item',
  tableName: 'Item',
  columns: {
    id,
    code: { ...text, unique: true },
    name: text,
    note: { ...text, nullable: true },
    status: { ...text, default: 'new' },
    stock: { type: 'int', default: 0 },
  },
});

export const ENTITIES = [User, Post, Comment, Tag, Membership, Item];

export function createDataSource(url: string, more: Partial<DataSourceOptions> = {}): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities: ENTITIES,
    installExtensions: false,
    ...more,
  } as DataSourceOptions);
}

export function createTypeormStore(manager: EntityManager): RowStore {
  const find = (key: number) => manager.findOneByOrFail(User, { id: key });
  return {
    createUser: async (fields) => (await manager.save(User, { ...fields })).id,
    saveUser: async (key, fields) => void (await manager.save(User, Object.assign(await find(key), fields))),
    saveUserNarrow: async (key, fields) => {
      const user = await manager.findOneOrFail(User, { where: { id: key }, select: { id: true } });
      await manager.save(User, Object.assign(user, fields));
    },
    removeUser: async (key) => void (await manager.remove(User, await find(key))),
    createUsers: async (rows) => void (await manager.insert(User, [...rows])),
    renameActive: async (name) => void (await manager.update(User, { active: true }, { name })),
    deleteActive: async () => void (await manager.delete(User, { active: true })),
    upsertSeat: async (org, seat, level) =>
      void (await manager.upsert(Membership, { org, seat, level }, ['org', 'seat'])),
    incrementVisits: async (key) => void (await manager.increment(User, { id: key }, 'visits', 1)),
    createDeep: async (email) => {
      await manager.save(User, {
        email,
        posts: [{ title: 'T', comments: [{ text: 'C' }], tags: [{ label: 'X' }] }],
      });
    },
    saveDeep: async (key) => {
      const user = await manager.findOneOrFail(User, { where: { id: key }, relations: { posts: true } });
      const kept = user.posts.filter((post) => post.id === 1);
      for (const post of kept) post.title = 'new';
      await manager.save(User, Object.assign(user, { name: 'Grace', posts: kept }));
    },
    createPost: async (key, authorId, tags) =>
      void (await manager.save(Post, { title: `P${key}`, authorId, tags: tags.map((tag) => ({ id: tag })) })),
    addComment: async (postId, said) => void (await manager.save(Comment, { postId, text: said })),
    setTags: async (postId, tags) => {
      const post = await manager.findOneOrFail(Post, { where: { id: postId }, relations: { tags: true } });
      post.tags = await manager.find(Tag, { where: tags.map((tag) => ({ id: tag })) });
      await manager.save(Post, post);
    },
    createTag: async (key, label) => void (await manager.save(Tag, { id: key, label })),
    saveTag: async (key, label) => {
      const tag = await manager.findOneByOrFail(Tag, { id: key });
      await manager.save(Tag, Object.assign(tag, { label }));
    },
    renumberTag: async (key, to) => void (await manager.update(Tag, { id: key }, { id: to })),
    execute: async (sql) => void (await manager.query(sql)),
    countTags: () => manager.count(Tag),
    labelOf: async (tag) => (await manager.findOneBy(Tag, { id: tag }))?.label,
    transaction: (work) => manager.transaction((inner) => work(createTypeormStore(inner))),

    createItem: (code) =>
      manager.save(Item, { code, name: `Item ${code}`, note: 'A note', status: 'made', stock: 3 }),
    saveItem: async (key, stock) => {
      const item = await manager.findOneByOrFail(Item, { id: key });
      await manager.save(Item, Object.assign(item, { stock, status: `s${stock}` }));
    },
    updateItem: (key, stock) => manager.update(Item, { id: key }, { stock, status: `s${stock}` }),
    updateItems: async (stock) =>
      (await manager.update(Item, { note: 'filled' }, { stock })).affected ?? Number.NaN,
  };
}
