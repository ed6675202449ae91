import { createMemoryStore } from '../src/memory-store.js';
import type { AuditStore } from '../src/store.js';

/** How a store behaves: as it should, by refusing, by never answering, or by answering late. */
export type Mood = 'up' | 'down' | 'hanging' | 'late' | { readonly takesMs: number };

export interface FaultyStore {
  readonly store: AuditStore;
  /** The store beneath, which is always well. */
  readonly inner: AuditStore;
  mood: Mood;
  /** The number of events of each append that was tried. */
  readonly appends: number[];
  /** Lets all calls that hang go through. */
  release(): void;
}

/** A memory store whose writes can be made to fail. `late` does the work and never says so until `release`. */
export function createFaultyStore(): FaultyStore {
  const inner = createMemoryStore();
  const hanging: (() => void)[] = [];
  const hang = () => new Promise<void>((resolve) => hanging.push(resolve));
  const faulty: FaultyStore = {
    inner,
    mood: 'up',
    appends: [],
    release: () => {
      for (const go of hanging.splice(0)) go();
    },
    store: {
      ...inner,
      append: async (events) => {
        faulty.appends.push(events.length);
        const { mood } = faulty;
        if (mood === 'down') throw new Error('connect ECONNREFUSED 127.0.0.1:5432');
        if (mood === 'hanging') await hang();
        if (typeof mood === 'object') await new Promise((resolve) => setTimeout(resolve, mood.takesMs));
        const outcome = await inner.append(events);
        if (mood === 'late') await hang();
        return outcome;
      },
    },
  };
  return faulty;
}
