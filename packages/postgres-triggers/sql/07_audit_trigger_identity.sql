CREATE OR REPLACE FUNCTION audit_trigger_identity(
  value json, raw text[], keys text[], places integer[], names text[], kinds text[], flags text[]
) RETURNS text LANGUAGE plpgsql STABLE AS $$
  -- version: 2
  -- What a row is known by: the value of its key as text, or the JSON of the parts of a composite one; never what is masked or
  -- left out. Beyond 1,024 characters the beginning and the SHA-256 of its UTF-16.
DECLARE
  identity text;
  part text;
  place integer;
  letter text;
  code integer;
  units bytea := '';
BEGIN
  IF cardinality(keys) = 0 THEN
    RETURN 'row:*';
  END IF;
  FOR at IN 1 .. cardinality(keys) LOOP
    place := places[at];
    IF flags[place] <> '' THEN
      RETURN '[masked]';
    END IF;
  END LOOP;
  IF cardinality(keys) = 1 THEN
    part := audit_trigger_value(kinds[place], value -> keys[1], raw[place], '^$');
    identity := CASE WHEN left(part, 1) = '"' THEN part::json #>> '{}' ELSE part END;
  ELSE
    SELECT '{' || string_agg(names[k.place] || ':' || audit_trigger_value(kinds[k.place], value -> k.name, raw[k.place], '^$'), ','
        ORDER BY (names[k.place]::json #>> '{}') COLLATE "C") || '}'
      INTO identity FROM unnest(keys, places) AS k(name, place);
  END IF;
  IF octet_length(identity) <= 1024 THEN
    RETURN identity;
  END IF;
  FOREACH letter IN ARRAY regexp_split_to_array(identity, '') LOOP
    code := ascii(letter);
    IF code >= 65536 THEN
      units := units || set_byte(set_byte('00'::bytea, 0, (((code - 65536) >> 10) + 55296) & 255), 1, (((code - 65536) >> 10) + 55296) >> 8);
      code := ((code - 65536) & 1023) + 56320;
    END IF;
    units := units || set_byte(set_byte('00'::bytea, 0, code & 255), 1, code >> 8);
  END LOOP;
  IF octet_length(units) <= 2048 THEN
    RETURN identity;
  END IF;
  part := rtrim(translate(encode(sha256(units), 'base64'), '+/', '-_'), '=');
  RETURN audit_trigger_cut(identity, 1024 - length(part) - 1) || '…' || part;
END
$$;
