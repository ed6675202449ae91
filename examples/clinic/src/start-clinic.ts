import { once } from 'node:events';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { runWithContext } from '@indelible/context';
import { configureAudit, getAudit } from '@indelible/core';
import { createApp } from './app.js';
import { applyMigrations } from './apply-migrations.js';
import { openDatabase } from './database.js';
import { seed } from './seed.js';

export interface Clinic {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The database file. */
  readonly file: string;
  stop(): Promise<void>;
}

/** Starts the clinic on a free port with a fresh database file in `folder`. */
export async function startClinic(folder: string): Promise<Clinic> {
  const file = join(folder, 'clinic.db');
  applyMigrations(file);
  configureAudit({
    // Who fails to sign in has typed an address, or a password into the wrong field.
    redaction: { paths: ['details.body.email'] },
    spool: { directory: join(folder, 'spool') },
  });
  const prisma = openDatabase(`file:${file}`);
  await getAudit().migrate();
  await runWithContext({ actor: { type: 'system', id: 'set-up' } }, () => seed(prisma));

  const server = createApp(prisma).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    file,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await getAudit().close();
      await prisma.$disconnect();
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
