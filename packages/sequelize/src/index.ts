/** Audit trails for Sequelize 6. See the README. */
export { type AuditSequelizeOptions, auditSequelize } from './audit-sequelize.js';
