import { join } from 'node:path';
import { getAudit } from '@indelible/core';
import { applyMigrations } from '../apply-migrations.js';
import { startClinic } from '../start-clinic.js';
import type { Evidence, Forged } from './check-day.js';
import { findSecrets } from './find-secrets.js';
import { playDay } from './play-day.js';
import { readTables, readTrail } from './read-trail.js';
import { SECRETS } from './script.js';
import { forge, planForgeries } from './tamper.js';
import { verifyFile } from './verify-file.js';

/**
 * Starts the clinic on a fresh database in `folder`, plays the day over HTTP, stops it, reads and verifies what it left
 * behind, forges copies of it and verifies those.
 */
export async function collectEvidence(folder: string): Promise<Evidence> {
  const clinic = await startClinic(folder);
  const { played, tokens } = await playDay(clinic.url);
  await getAudit().flush();

  const cookies = tokens.map((token, number): [string, string] => [`session cookie ${number + 1}`, token]);
  const secrets = { ...SECRETS, ...Object.fromEntries(cookies) };
  // While the clinic runs, with the newest pages in the write-ahead log, and when it has written its last.
  const early = findSecrets(folder, secrets);
  await clinic.stop();
  const late = findSecrets(folder, secrets);
  const leaks = [
    ...new Map([...early, ...late].map((leak) => [`${leak.secret} ${leak.file}`, leak])).values(),
  ];

  const trail = readTrail(clinic.file);
  const untouched = join(folder, 'untouched.db');
  applyMigrations(untouched);
  const tables = { initial: readTables(untouched), final: readTables(clinic.file) };
  const verdicts = await verifyFile(clinic.file);
  const forged: Forged[] = [];
  for (const [number, forgery] of planForgeries(trail.entries).entries()) {
    const copy = forge(clinic.file, join(folder, `forged-${number + 1}.db`), forgery);
    forged.push({ forgery, verdicts: await verifyFile(copy) });
  }
  return { played, trail, tables, leaks, verdicts, forged };
}
