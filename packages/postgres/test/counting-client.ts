import pg from 'pg';

/** What clients were given, and what that took. */
export interface Traffic {
  /** Statements and bundles of them. */
  statements: number;
  /** How often the server has said that it is ready for more. */
  roundTrips: number;
}

/** A client of node-postgres that counts its traffic. */
export function countingClient(traffic: Traffic): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config);
      const query = this.query.bind(this);
      Object.defineProperty(this, 'query', {
        configurable: true,
        writable: true,
        value: (...args: unknown[]): unknown => {
          traffic.statements += 1;
          return Reflect.apply(query, this, args);
        },
      });
      const connection: unknown = Reflect.get(this, 'connection');
      Reflect.apply(Reflect.get(Object(connection), 'on'), connection, [
        'readyForQuery',
        () => {
          traffic.roundTrips += 1;
        },
      ]);
    }
  };
}

/** How many round trips each of the works takes the second time: what a connection reads only once is read by then. */
export async function countRoundTrips<H extends { readonly traffic: Traffic }>(
  harness: H,
  works: Readonly<Record<string, (harness: H, turn: number) => Promise<unknown>>>,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [name, work] of Object.entries(works)) {
    await work(harness, 0);
    harness.traffic.roundTrips = 0;
    await work(harness, 1);
    counts[name] = harness.traffic.roundTrips;
  }
  return counts;
}
