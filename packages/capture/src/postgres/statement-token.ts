/**
 * SQL that is the same text for all rows of one statement and another one for the next: what an earlier statement has left
 * in a setting is none of this one's.
 */
export const STATEMENT_TOKEN = 'extract(epoch from pg_catalog.statement_timestamp())::text';
