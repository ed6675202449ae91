/** From which index on entries must be keyed: of every log, or by the names of those that are older than the key. */
export type KeyedFrom = number | Readonly<Record<string, number>>;

/** The index for one log. One that is not named in a record must be keyed as a whole. */
export function keyedFromOf(keyedFrom: KeyedFrom | undefined, log: string): number | undefined {
  if (typeof keyedFrom !== 'object') return keyedFrom;
  return Object.hasOwn(keyedFrom, log) ? keyedFrom[log] : 0;
}
