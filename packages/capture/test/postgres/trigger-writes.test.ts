import { describe, expect, test } from 'vitest';
import { mayTriggerWrite } from '../../src/postgres/trigger-writes.js';

const plpgsql = (source: string): boolean =>
  mayTriggerWrite({ schema: 'public', name: 'f', language: 'plpgsql', source, library: '' });

describe('what the function of a trigger may write', () => {
  test.each([
    'BEGIN RETURN NEW; END',
    'BEGIN NEW.updated_at := now(); RETURN NEW; END;',
    'begin new."updatedAt" = CURRENT_TIMESTAMP; return new; end',
    `DECLARE n int := 0; x numeric(10, 2); BEGIN
      IF (TG_OP = 'UPDATE' AND NEW.a IS DISTINCT FROM OLD.a) OR NOT (NEW.b IN (1, 2)) THEN
        NEW.slug := regexp_replace(lower(trim(NEW.title)), '[^a-z]+', '-', 'g') || pg_catalog.left(NEW.a, 3);
      ELSIF (TG_OP = 'DELETE') THEN RETURN OLD; END IF;
      RETURN NEW; END`,
    `BEGIN IF NEW.a < 0 THEN RAISE EXCEPTION 'can not INSERT % into %', NEW.a, TG_TABLE_NAME USING ERRCODE = '23514'; END IF;
      RETURN NULL; END`,
    `BEGIN /* we used to DELETE /* and INSERT */ here */ -- PERFORM log()
      NEW.tsv := setweight(to_tsvector('pg_catalog.english', coalesce(NEW.title, '')), 'A'); RETURN NEW; END`,
    "BEGIN NEW.a := 'it''s; DELETE FROM t; --'; NEW.b := $$ INSERT INTO t $$; RETURN NEW; END",
    'BEGIN PERFORM_COUNT := 1; NEW.deleted := false; NEW.selected := CASE WHEN (NEW.a) THEN (1) ELSE (2) END; RETURN NEW; END',
    'BEGIN\r\n  NEW.a := 1; -- a comment\r\n  RETURN NEW;\r\nEND',
  ])('nothing: %s', (source) => {
    expect(plpgsql(source)).toBe(false);
  });

  test.each([
    'BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END',
    'BEGIN update counters set n = n + 1; RETURN NULL; END',
    "BEGIN EXECUTE 'DEL' || 'ETE FROM t'; RETURN NULL; END",
    'BEGIN PERFORM f(NEW.id); RETURN NULL; END',
    'BEGIN CALL p(); RETURN NULL; END',
    'BEGIN NEW.n := (SELECT count(*) FROM t); RETURN NEW; END',
    'BEGIN NEW.n := next_number(); RETURN NEW; END',
    'BEGIN NEW.n := next_number (); RETURN NEW; END',
    'BEGIN NEW.n := next_number/* */(); RETURN NEW; END',
    'BEGIN NEW.n := "lower"(NEW.n); RETURN NEW; END',
    'BEGIN NEW.n := mine.lower(NEW.n); RETURN NEW; END',
    'BEGIN IF write_log(NEW) THEN RETURN NEW; END IF; RETURN NULL; END',
    'BEGIN MERGE INTO t USING u ON true WHEN MATCHED THEN DO NOTHING; RETURN NULL; END',
    'BEGIN FOR r IN TABLE t LOOP NULL; END LOOP; RETURN NULL; END',
    'BEGIN TRUNCATE t; RETURN NULL; END',
    'BEGIN WITH gone AS (DELETE FROM t RETURNING *) SELECT 1 INTO x; RETURN NULL; END',
    // What looks like a comment or a string and is none, and the other way round.
    "BEGIN NEW.a := '/*'; DELETE FROM t; NEW.b := '*/'; RETURN NEW; END",
    "BEGIN NEW.a := '--'; DELETE FROM t; RETURN NEW; END",
    "BEGIN NEW.a := '''; --'; DELETE FROM t; RETURN NEW; END",
    'BEGIN NEW."a--" := 1; DELETE FROM t; RETURN NEW; END',
    "BEGIN NEW.a := E'\\''; DELETE FROM t; NEW.b := ' '; RETURN NEW; END",
    "BEGIN NEW.a := '\\'; DELETE FROM t; NEW.b := ' '; RETURN NEW; END",
    "BEGIN NEW.a := 'x\\''; DELETE FROM t; NEW.b := ' '; RETURN NEW; END",
    'BEGIN NEW.a := $x$ $$ $x$; DELETE FROM t; NEW.b := $x$ $$ $x$; RETURN NEW; END',
    'BEGIN /* /* */ */ DELETE FROM t; RETURN NEW; END',
    'BEGIN -- a comment\rDELETE FROM t; RETURN NEW; END',
    `BEGIN ${'NULL; '.repeat(20_000)} RETURN NEW; END`,
  ])('something: %s', (source) => {
    expect(plpgsql(source)).toBe(true);
  });

  test('functions of other languages may write, but for some that are known', () => {
    const known = { schema: 'pg_catalog', source: '', library: '' };
    expect(mayTriggerWrite({ ...known, language: 'internal', name: 'tsvector_update_trigger' })).toBe(false);
    expect(
      mayTriggerWrite({ ...known, language: 'internal', name: 'suppress_redundant_updates_trigger' }),
    ).toBe(false);
    expect(mayTriggerWrite({ ...known, language: 'internal', name: 'lo_manage' })).toBe(true);
    expect(
      mayTriggerWrite({ ...known, schema: 'x', language: 'internal', name: 'tsvector_update_trigger' }),
    ).toBe(true);
    const c = { schema: 'public', name: 'moddatetime', language: 'c', source: 'moddatetime' };
    expect(mayTriggerWrite({ ...c, library: '$libdir/moddatetime' })).toBe(false);
    expect(mayTriggerWrite({ ...c, library: 'mallory/moddatetime' })).toBe(true);
    expect(mayTriggerWrite({ ...c, library: '$libdir/lo' })).toBe(true);
    for (const language of ['plperl', 'plv8', 'sql', 'plpython3u'])
      expect(mayTriggerWrite({ ...known, name: 'f', language, source: 'BEGIN RETURN NEW; END' })).toBe(true);
  });
});
