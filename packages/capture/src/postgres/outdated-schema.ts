/** What was known is not so any more. */
export class OutdatedSchema extends Error {
  /** @param isChanged false: only the names are those of another scope */
  constructor(readonly isChanged: boolean) {
    super('the schema is not what was known of it');
  }
}
