import type { Token } from '../tokenize.js';
import { tokenizePostgres } from './postgres-tokens.js';

/** What is to be known of a trigger's function. */
export interface TriggerFunction {
  readonly schema: string;
  readonly name: string;
  readonly language: string;
  readonly source: string;
  /** The library of a function in C. */
  readonly library: string;
}

/** They change the row in hand, or nothing at all. */
const HARMLESS_BUILT_IN =
  /^(?:tsvector_update_trigger|tsvector_update_trigger_column|suppress_redundant_updates_trigger)$/;
/** Of PostgreSQL's contrib modules spi and tcn. */
const HARMLESS_LIBRARY = /^\$libdir\/(?:autoinc|insert_username|moddatetime|tcn)$/;

/** With these a statement begins, or a query within an expression. */
const STATEMENT =
  words(`ALTER ANALYZE CALL CLUSTER COMMENT COPY CREATE DELETE DISCARD DO DROP EXECUTE FETCH GRANT IMPORT
  INSERT LOAD LOCK MERGE MOVE OPEN PERFORM PREPARE REASSIGN REFRESH REINDEX RESET REVOKE SECURITY SELECT SET TABLE TRUNCATE
  UPDATE VACUUM VALUES WITH`);
/** What may stand before a parenthesis: keywords, types with a modifier, and built-in functions that write no row. */
const BEFORE_PARENTHESIS =
  words(`ALL AND ANY AS BETWEEN BY CASE ELSE ELSIF ELSEIF END EXIT FOR FROM IF ILIKE IN IS LIKE NOT
  NOTICE ON OR RAISE RETURN ROW SIMILAR SOME THEN TO USING WHEN WHILE
  BIT CHAR CHARACTER DECIMAL INTERVAL NUMERIC TIME TIMESTAMP TIMESTAMPTZ VARBIT VARCHAR VARYING
  ABS AGE ARRAY_APPEND ARRAY_LENGTH ARRAY_PREPEND ARRAY_REMOVE ARRAY_TO_STRING BTRIM CARDINALITY CAST CEIL CEILING
  CHARACTER_LENGTH CHAR_LENGTH CLOCK_TIMESTAMP COALESCE CONCAT CONCAT_WS CURRENT_SETTING CURRENT_TIMESTAMP DATE_PART
  DATE_TRUNC DECODE DIGEST ENCODE EXTRACT FLOOR FORMAT GEN_RANDOM_UUID GREATEST HASHTEXT INITCAP JSONB_BUILD_ARRAY
  JSONB_BUILD_OBJECT JSONB_SET JSONB_STRIP_NULLS JSON_BUILD_OBJECT LEAST LEFT LENGTH LOCALTIMESTAMP LOWER LPAD LTRIM
  MAKE_DATE MAKE_INTERVAL MD5 MOD NOW NULLIF OCTET_LENGTH OVERLAY PG_NOTIFY PHRASETO_TSQUERY PLAINTO_TSQUERY POSITION POWER
  RANDOM REGEXP_REPLACE REPEAT REPLACE REVERSE RIGHT ROUND ROW_TO_JSON RPAD RTRIM SETWEIGHT SHA256 SIGN SPLIT_PART SQRT
  STATEMENT_TIMESTAMP STRING_TO_ARRAY STRIP STRPOS SUBSTR SUBSTRING TIMEOFDAY TO_CHAR TO_DATE TO_JSON TO_JSONB TO_NUMBER
  TO_TIMESTAMP TO_TSVECTOR TRANSACTION_TIMESTAMP TRANSLATE TRIM TRUNC UPPER UUID_GENERATE_V4`);

/** Longer sources are not read. */
const MAX_SOURCE = 100_000;

/**
 * False only where the function is known to write no row but the one that fired it: a built-in one, or PL/pgSQL in which no
 * statement or query stands and nothing is called but well-known functions.
 */
export function mayTriggerWrite({ schema, name, language, source, library }: TriggerFunction): boolean {
  if (language === 'internal') return !(schema === 'pg_catalog' && HARMLESS_BUILT_IN.test(name));
  if (language === 'c') return !HARMLESS_LIBRARY.test(library);
  if (language !== 'plpgsql' || source.length > MAX_SOURCE) return true;
  // A backslash ends no string but where standard_conforming_strings is off; a carriage return alone ends a comment.
  if (source.includes('\\') || /\r(?!\n)/.test(source)) return true;
  const tokens = tokenizePostgres(source);
  return tokens.some((_, index) => isSuspect(tokens, index));
}

function isSuspect(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index];
  if (token?.kind !== 'word' && token?.kind !== 'quoted') return false;
  const word = token.text.toUpperCase();
  if (token.kind === 'word' && STATEMENT.has(word)) return true;
  if (tokens[index + 1]?.text !== '(') return false;
  // A function of a schema of its own is unknown, whatever its name.
  const isQualified =
    tokens[index - 1]?.text === '.' && tokens[index - 2]?.text.toLowerCase() !== 'pg_catalog';
  return token.kind === 'quoted' || isQualified || !BEFORE_PARENTHESIS.has(word);
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(/\s+/));
}
