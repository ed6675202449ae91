import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playDay } from './day/play-day.js';
import { startClinic } from './start-clinic.js';

const folder = await mkdtemp(join(tmpdir(), 'clinic-'));
const clinic = await startClinic(folder);
await playDay(clinic.url, (s) =>
  console.log(
    s.answer.status === s.expected,
    s.answer.method,
    s.answer.path,
    s.answer.status,
    s.who,
    s.story,
  ),
);
await clinic.stop();
console.log(folder);
