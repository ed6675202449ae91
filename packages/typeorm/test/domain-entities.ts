import { type ColumnType, EntitySchema } from 'typeorm';

export interface UserRow {
  id: number;
  email: string;
  name: string | null;
  password: string | null;
  active: boolean;
  score: number | null;
  balance: string | null;
  visits: bigint | string;
  avatar: Uint8Array | null;
  settings: unknown;
  role: string;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
  managerId: number | null;
  posts: PostRow[];
  friends: UserRow[];
}

export interface PostRow {
  id: number;
  title: string;
  body: string | null;
  views: number;
  authorId: number;
  comments: CommentRow[];
  tags: TagRow[];
}

export interface CommentRow {
  id: number;
  text: string;
  postId: number;
  parentId: number | null;
}

export interface TagRow {
  code: string;
  label: string;
}

export interface ProfileRow {
  id: string;
  bio: string;
  userId: number;
}

export interface MembershipRow {
  org: string;
  seat: number;
  level: string;
  note: string | null;
}

export interface OrderRow {
  id: string;
  group: string;
  total: number;
}

/** What a database calls the types of the domain. */
export interface DomainTypes {
  /** Text of any length, and text that can be a key. */
  readonly text: ColumnType;
  readonly keyText: ColumnType;
  readonly float: ColumnType;
  readonly decimal: { readonly type: ColumnType; readonly precision?: number; readonly scale?: number };
  readonly bytes: ColumnType;
  readonly json: ColumnType;
  readonly role: ColumnType;
  readonly instant: { readonly type: ColumnType; readonly precision?: number };
  /** What the database takes for the time of a new row. @default TypeORM's own */
  readonly now?: () => string;
}

/** The suite's domain as entities. */
export function createDomain(types: DomainTypes) {
  const { text, keyText, float, decimal, bytes, json, role, instant, now } = types;
  const stamped = now === undefined ? instant : { ...instant, default: now };
  const User = new EntitySchema<UserRow>({
    name: 'User',
    tableName: 'User',
    columns: {
      id: { type: 'int', primary: true, generated: 'increment' },
      email: { type: keyText, unique: true },
      name: { type: text, nullable: true },
      password: { type: text, nullable: true },
      active: { type: Boolean, default: true },
      score: { type: float, nullable: true },
      balance: { ...decimal, nullable: true },
      visits: { type: 'bigint', default: 0 },
      avatar: { type: bytes, nullable: true },
      settings: { type: json, nullable: true },
      role: { type: role, enum: ['MEMBER', 'ADMIN'], default: 'MEMBER' },
      createdAt: { ...stamped, createDate: true },
      updatedAt: { ...stamped, updateDate: true },
      deletedAt: { ...instant, nullable: true },
      managerId: { type: 'int', nullable: true },
    },
    relations: {
      posts: { type: 'one-to-many', target: 'Post', inverseSide: 'author', cascade: true },
      friends: {
        type: 'many-to-many',
        target: 'User',
        joinTable: {
          name: 'Friends',
          joinColumn: { name: 'userId', referencedColumnName: 'id' },
          inverseJoinColumn: { name: 'friendId', referencedColumnName: 'id' },
        },
      },
    },
    foreignKeys: [
      { target: 'User', columnNames: ['managerId'], referencedColumnNames: ['id'], onDelete: 'SET NULL' },
    ],
  });
  const Profile = new EntitySchema<ProfileRow>({
    name: 'Profile',
    tableName: 'Profile',
    columns: {
      id: { type: keyText, primary: true },
      bio: { type: text },
      userId: { type: 'int', unique: true },
    },
    foreignKeys: [
      { target: 'User', columnNames: ['userId'], referencedColumnNames: ['id'], onDelete: 'CASCADE' },
    ],
  });
  const Post = new EntitySchema<PostRow & { author: UserRow }>({
    name: 'Post',
    tableName: 'posts',
    columns: {
      id: { type: 'int', primary: true, generated: 'increment' },
      title: { type: text },
      body: { type: text, name: 'content', nullable: true },
      views: { type: 'int', default: 0 },
      authorId: { type: 'int' },
    },
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
        joinTable: {
          name: 'PostToTag',
          joinColumn: { name: 'postId', referencedColumnName: 'id' },
          inverseJoinColumn: { name: 'tagCode', referencedColumnName: 'code' },
        },
      },
    },
  });
  const Comment = new EntitySchema<CommentRow & { post: PostRow; parent: CommentRow | null }>({
    name: 'Comment',
    tableName: 'Comment',
    columns: {
      id: { type: 'int', primary: true, generated: 'increment' },
      text: { type: text },
      postId: { type: 'int' },
      parentId: { type: 'int', nullable: true },
    },
    relations: {
      post: {
        type: 'many-to-one',
        target: 'Post',
        inverseSide: 'comments',
        joinColumn: { name: 'postId' },
        onDelete: 'CASCADE',
      },
      parent: {
        type: 'many-to-one',
        target: 'Comment',
        joinColumn: { name: 'parentId' },
        onDelete: 'CASCADE',
      },
    },
  });
  const Tag = new EntitySchema<TagRow>({
    name: 'Tag',
    tableName: 'Tag',
    columns: { code: { type: keyText, primary: true }, label: { type: text } },
  });
  const Membership = new EntitySchema<MembershipRow>({
    name: 'Membership',
    tableName: 'Membership',
    columns: {
      org: { type: keyText, primary: true },
      seat: { type: 'int', primary: true },
      level: { type: keyText, default: 'basic' },
      note: { type: text, nullable: true },
    },
  });
  const Order = new EntitySchema<OrderRow>({
    name: 'Order',
    tableName: 'order',
    columns: {
      id: { type: keyText, primary: true },
      group: { type: keyText, name: 'Group' },
      total: { type: 'int', default: 0 },
    },
  });
  return { User, Profile, Post, Comment, Tag, Membership, Order };
}

export type Domain = ReturnType<typeof createDomain>;
