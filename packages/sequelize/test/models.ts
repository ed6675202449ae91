import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';

export type Row = Model<Record<string, unknown>, Record<string, unknown>>;
export type Domain = Readonly<
  Record<
    'User' | 'Profile' | 'Post' | 'Comment' | 'Tag' | 'Membership' | 'Order' | 'Friends' | 'PostToTag',
    ModelStatic<Row>
  >
>;

/** The suite's domain as Sequelize spells it. */
export function defineDomain(sequelize: Sequelize): Domain {
  const define = (name: string, attributes: object, options: object = {}): ModelStatic<Row> =>
    sequelize.define<Row>(name, attributes as never, { tableName: name, timestamps: false, ...options });
  const { STRING, TEXT, INTEGER, BIGINT, BOOLEAN, DOUBLE, DECIMAL, BLOB, ENUM, DATE } = DataTypes;
  const User = define(
    'User',
    {
      id: { type: INTEGER, primaryKey: true, autoIncrement: true },
      email: { type: STRING, allowNull: false, unique: 'User_email_key' },
      name: TEXT,
      password: TEXT,
      active: { type: BOOLEAN, allowNull: false, defaultValue: true },
      score: DOUBLE,
      balance: DECIMAL(20, 10),
      visits: { type: BIGINT, allowNull: false, defaultValue: 0 },
      avatar: BLOB,
      settings: DataTypes.JSON,
      role: { type: ENUM('MEMBER', 'ADMIN'), allowNull: false, defaultValue: 'MEMBER' },
      // Without a precision those of MySQL hold whole seconds.
      createdAt: DATE(6),
      updatedAt: DATE(6),
      deletedAt: DATE(6),
    },
    { timestamps: true },
  );
  const Profile = define('Profile', {
    id: { type: STRING, primaryKey: true },
    bio: { type: STRING, allowNull: false },
  });
  const Post = define(
    'Post',
    {
      id: { type: INTEGER, primaryKey: true, autoIncrement: true },
      title: { type: STRING, allowNull: false },
      body: { type: TEXT, field: 'content' },
      views: { type: INTEGER, allowNull: false, defaultValue: 0 },
    },
    { tableName: 'posts' },
  );
  const Comment = define('Comment', {
    id: { type: INTEGER, primaryKey: true, autoIncrement: true },
    text: { type: STRING, allowNull: false },
  });
  const Tag = define('Tag', {
    code: { type: STRING, primaryKey: true },
    label: { type: STRING, allowNull: false },
  });
  const Membership = define('Membership', {
    org: { type: STRING, primaryKey: true },
    seat: { type: INTEGER, primaryKey: true },
    level: { type: STRING, allowNull: false, defaultValue: 'basic' },
    note: STRING,
  });
  const Order = define(
    'Order',
    {
      id: { type: STRING, primaryKey: true },
      group: { type: STRING, allowNull: false, field: 'Group' },
      total: { type: INTEGER, allowNull: false, defaultValue: 0 },
    },
    { tableName: 'order' },
  );
  const Friends = define('Friends', {});
  const PostToTag = define('PostToTag', {});

  User.belongsTo(User, { as: 'manager', foreignKey: 'managerId', onDelete: 'SET NULL', onUpdate: 'CASCADE' });
  User.belongsToMany(User, { as: 'friends', through: Friends, foreignKey: 'userId', otherKey: 'friendId' });
  User.hasMany(Post, { as: 'posts', ...owned('authorId') });
  Profile.belongsTo(User, {
    foreignKey: { name: 'userId', allowNull: false },
    onDelete: 'CASCADE',
    onUpdate: 'CASCADE',
  });
  Post.hasMany(Comment, { as: 'comments', ...owned('postId') });
  Comment.belongsTo(Comment, {
    as: 'parent',
    foreignKey: 'parentId',
    onDelete: 'CASCADE',
    onUpdate: 'CASCADE',
  });
  Post.belongsToMany(Tag, { as: 'tags', through: PostToTag, foreignKey: 'postId', otherKey: 'tagCode' });
  Tag.belongsToMany(Post, { as: 'posts', through: PostToTag, foreignKey: 'tagCode', otherKey: 'postId' });
  return { User, Profile, Post, Comment, Tag, Membership, Order, Friends, PostToTag };
}

function owned(name: string) {
  return { foreignKey: { name, allowNull: false }, onDelete: 'CASCADE', onUpdate: 'CASCADE' } as const;
}
