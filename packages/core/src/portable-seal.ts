import { createSealBatch, type SealBatchOptions } from './seal-batch.js';
import type { PortableCompute, RefusedEvent, SealRequest } from './store.js';

/** What of `SealBatchOptions` can go to another thread. */
export type PortableSealOptions = Pick<SealBatchOptions, 'keys' | 'keyedFrom' | 'log'>;

/** `createSealBatch` in a form that a store can make anew in a thread of its own. */
export function describeSealBatch({ keys, keyedFrom, log }: PortableSealOptions): PortableCompute {
  return { module: import.meta.url, name: createPortableSealBatch.name, data: { keys, keyedFrom, log } };
}

/** What the other thread calls. What is refused goes back with the batch, as a callback can not. */
export function createPortableSealBatch(options: PortableSealOptions): SealRequest['compute'] {
  return (head, pending) => {
    const refused: RefusedEvent[] = [];
    const compute = createSealBatch({
      ...options,
      onRefused: (event, reason) => void refused.push({ id: event.id, reason }),
    });
    const batch = compute(head, pending);
    return refused.length === 0 ? batch : { ...batch, refused };
  };
}
