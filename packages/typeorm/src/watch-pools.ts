import { readProperty } from '@indelible/capture';
import { reachMethod } from './reach.js';

/** Where TypeORM takes a connection from the pool of the server that is written to, and from those of its copies. */
const OBTAIN = ['obtainMasterConnection', 'obtainSlaveConnection'] as const;

/** Shows each connection that TypeORM takes to `watch`. One that it throws for goes back to its pool. */
export function watchPools(driver: object, watch: (connection: object) => void): void {
  for (const name of OBTAIN) {
    const obtain = reachMethod(driver, name);
    Reflect.set(driver, name, async (): Promise<unknown> => {
      const obtained = await obtain();
      // That of node-postgres comes with what gives it back.
      const [connection, release] = Array.isArray(obtained) ? obtained : [obtained];
      try {
        if (typeof connection === 'object' && connection !== null) watch(connection);
      } catch (error) {
        const giveBack = release ?? readProperty(connection, 'release');
        if (typeof giveBack === 'function') Reflect.apply(giveBack, connection, []);
        throw error;
      }
      return obtained;
    });
  }
}
