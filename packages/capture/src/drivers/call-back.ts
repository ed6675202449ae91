type Callback = (error: unknown, ...answer: readonly unknown[]) => unknown;

/** Tells a callback how the work ended. What it throws is nobody's to catch, as with the drivers themselves. */
export function callBack(callback: Callback, work: Promise<readonly unknown[]>): void {
  work.then(
    (answer) => callApart(() => callback(null, ...answer)),
    (error: unknown) => callApart(() => callback(error)),
  );
}

export function asCallback(...candidates: readonly unknown[]): Callback | undefined {
  const found = candidates.find((candidate) => typeof candidate === 'function');
  return typeof found === 'function' ? (...args) => Reflect.apply(found, undefined, args) : undefined;
}

function callApart(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
