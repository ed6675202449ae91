import { DataTypes, type Model, type ModelStatic, Sequelize, type Transaction } from 'sequelize';
import type { RowStore } from './row-store.js';

type Row = Model<Record<string, unknown>, Record<string, unknown>>;
export type Models = Readonly<
  Record<'User' | 'Post' | 'Comment' | 'Tag' | 'PostToTag' | 'Membership' | 'Item', ModelStatic<Row>>
>;

export function createSequelize(url: string, pool: number): Sequelize {
  return new Sequelize(url, { dialect: 'postgres', logging: false, pool: { max: pool } });
}

/** The models of the cases. Ids are integers, because sequelize-paper-trail stores no others. */
export function defineModels(sequelize: Sequelize): Models {
  const { INTEGER, STRING, BOOLEAN } = DataTypes;
  const id = { type: INTEGER, primaryKey: true, autoIncrement: true };
  const define = (name: string, attributes: object, tableName = name): ModelStatic<Row> =>
    sequelize.define<Row>(name, attributes as never, { tableName, timestamps: false });
  const User = define('User', {
    id,
    email: { type: STRING, allowNull: false, unique: true },
    name: STRING,
    visits: { type: INTEGER, allowNull: false, defaultValue: 0 },
    active: { type: BOOLEAN, allowNull: false, defaultValue: true },
  });
  const Post = define('Post', { id, title: { type: STRING, allowNull: false } });
  const Comment = define('Comment', { id, text: { type: STRING, allowNull: false } });
  const Tag = define('Tag', { id, label: { type: STRING, allowNull: false } });
  const PostToTag = define('PostToTag', {}, '_PostToTag');
  const Membership = define('Membership', {
    org: { type: STRING, primaryKey: true },
    seat: { type: INTEGER, primaryKey: true },
    level: { type: STRING, allowNull: false, defaultValue: 'basic' },
  });
  const Item = define('Item', {
    id,
    code: { type: STRING, allowNull: false, unique: true },
    name: { type: STRING, allowNull: false },
    note: STRING,
    status: { type: STRING, allowNull: false, defaultValue: 'new' },
    stock: { type: INTEGER, allowNull: false, defaultValue: 0 },
  });
  const owned = (name: string) =>
    ({ foreignKey: { name, allowNull: false }, onDelete: 'CASCADE', onUpdate: 'CASCADE' }) as const;
  User.belongsTo(User, { as: 'manager', foreignKey: 'managerId', onDelete: 'SET NULL', onUpdate: 'CASCADE' });
  User.hasMany(Post, { as: 'posts', ...owned('authorId') });
  Post.hasMany(Comment, { as: 'comments', ...owned('postId') });
  Post.belongsToMany(Tag, { as: 'tags', through: PostToTag, foreignKey: 'A', otherKey: 'B' });
  Tag.belongsToMany(Post, { as: 'posts', through: PostToTag, foreignKey: 'B', otherKey: 'A' });
  return { User, Post, Comment, Tag, PostToTag, Membership, Item };
}

/** @param say what each call is given besides, for those that learn there who acts */
export function createSequelizeStore(
  sequelize: Sequelize,
  models: Models,
  say: () => object = () => ({}),
  transaction: Transaction | null = null,
): RowStore {
  const { User, Post, Comment, Tag, Membership, Item } = models;
  const options = () => ({ ...say(), transaction });
  const find = (model: ModelStatic<Row>, key: number): Promise<Row> =>
    model.findByPk(key, { rejectOnEmpty: true, transaction });
  const set = async (row: Row, name: string, value: unknown): Promise<void> => {
    await Reflect.apply(Reflect.get(row, name), row, [value, options()]);
  };
  return {
    createUser: async (fields) => Number((await User.create({ ...fields }, options())).get('id')),
    saveUser: async (id, fields) => {
      const user = await find(User, id);
      user.set({ ...fields });
      await user.save(options());
    },
    saveUserNarrow: async (id, fields) => {
      const user = await User.findByPk(id, { attributes: ['id'], rejectOnEmpty: true, transaction });
      user.set({ ...fields });
      await user.save(options());
    },
    removeUser: async (id) => (await find(User, id)).destroy(options()),
    createUsers: async (rows) =>
      void (await User.bulkCreate(
        rows.map((row) => ({ ...row })),
        options(),
      )),
    renameActive: async (name) =>
      void (await User.update({ name }, { where: { active: true }, ...options() })),
    deleteActive: async () => void (await User.destroy({ where: { active: true }, ...options() })),
    upsertSeat: async (org, seat, level) => void (await Membership.upsert({ org, seat, level }, options())),
    incrementVisits: async (id) =>
      void (await User.increment({ visits: 1 }, { where: { id }, ...options() })),
    createDeep: async (email) => {
      const posts = [{ title: 'T', comments: [{ text: 'C' }], tags: [{ label: 'X' }] }];
      const include = [{ association: 'posts', include: ['comments', 'tags'] }];
      await User.create({ email, posts }, { include, ...options() });
    },
    saveDeep: async (id) => {
      const user = await find(User, id);
      user.set('name', 'Grace');
      await user.save(options());
      const first = await find(Post, 1);
      first.set('title', 'new');
      await first.save(options());
      await (await find(Post, 2)).destroy(options());
    },
    createPost: async (id, authorId, tags) => {
      const post = await Post.create({ title: `P${id}`, authorId }, options());
      await set(post, 'setTags', tags);
    },
    addComment: async (postId, text) => void (await Comment.create({ postId, text }, options())),
    setTags: async (postId, tags) => set(await find(Post, postId), 'setTags', tags),
    createTag: async (id, label) => void (await Tag.create({ id, label }, options())),
    saveTag: async (id, label) => {
      const tag = await find(Tag, id);
      tag.set('label', label);
      await tag.save(options());
    },
    renumberTag: async (id, to) => void (await Tag.update({ id: to }, { where: { id }, ...options() })),
    execute: async (sql) => void (await sequelize.query(sql, { transaction })),
    countTags: () => Tag.count(),
    labelOf: async (tag) => String((await find(Tag, tag)).get('label')),
    transaction: (work) =>
      sequelize.transaction({ transaction }, (inner) =>
        work(createSequelizeStore(sequelize, models, say, inner)),
      ),

    createItem: (code) =>
      Item.create({ code, name: `Item ${code}`, note: 'A note', status: 'made', stock: 3 }, options()),
    saveItem: async (id, stock) => {
      const item = await find(Item, id);
      item.set({ stock, status: `s${stock}` });
      await item.save(options());
    },
    updateItem: (id, stock) => Item.update({ stock, status: `s${stock}` }, { where: { id }, ...options() }),
    updateItems: async (stock) =>
      (await Item.update({ stock }, { where: { note: 'filled' }, ...options() }))[0],
  };
}
