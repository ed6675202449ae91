const VERSION_00 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
const LATER_VERSION = /^(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_PARENT = '0'.repeat(16);

/**
 * The trace id of a `traceparent` header: 32 lower-case hex digits, not all zero (W3C Trace Context, section 3.2).
 * A later version than 00 is read by the rules of 00, as section 3.2.4 asks; anything malformed gives undefined.
 */
export function parseTraceId(traceparent: unknown): string | undefined {
  // Later versions may be longer, but not endless.
  if (typeof traceparent !== 'string' || traceparent.length > 512) return undefined;
  const match = VERSION_00.exec(traceparent) ?? LATER_VERSION.exec(traceparent);
  const [, trace, parent] = match ?? [];
  return trace === undefined || trace === NO_TRACE || parent === NO_PARENT ? undefined : trace;
}
