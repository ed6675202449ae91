/** What a test sends into the thread in the place of the sealer's computation. */
export function createFailure() {
  return () => {
    throw new RangeError('no such computation');
  };
}
