/** The bytes of an event's body, under the alias `e`; also where tampering made it a text, of which `length` counts characters. */
export const BODY_BYTES =
  "CASE typeof(e.body) WHEN 'blob' THEN length(e.body) ELSE length(CAST(e.body AS BLOB)) END";
