import type { DomainTables } from '../../prisma/test/domain-rows.js';

/** The relation tables, as the models of the tests name them, by keys in the order of an event's resource. */
export const SEQUELIZE_LINKS: DomainTables = {
  Friends: {
    model: 'Friends',
    key: ['friendId', 'userId'],
    columns: { userId: ['userId', 'whole'], friendId: ['friendId', 'whole'] },
  },
  PostToTag: {
    model: 'PostToTag',
    key: ['postId', 'tagCode'],
    columns: { postId: ['postId', 'whole'], tagCode: ['tagCode', 'text'] },
  },
};
