/** The fields of a composite value as record output writes them; null for NULL. */
export function parseRecord(text: string): readonly (string | null)[] {
  throw new TypeError(text);
}
