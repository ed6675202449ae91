import { ACCOUNTS } from './seed.js';
import { startClinic } from './start-clinic.js';

/** Keeps the clinic up until Ctrl-C, and says how to use it. */
export async function serve(folder: string): Promise<void> {
  const clinic = await startClinic(folder);
  const { url, file } = clinic;
  const post = `curl -s -b jar -c jar -H 'content-type: application/json' ${url}`;
  const key = process.env.AUDIT_HMAC_KEY ?? '';
  const accounts = Object.values(ACCOUNTS);

  console.log(`
The clinic is open at ${url}   (Ctrl-C closes it and deletes its database)

Sign in as one of
${accounts.map(({ role, email, password }) => `  ${role.padEnd(13)} ${email.padEnd(24)} ${password}`).join('\n')}

  ${post}/sign-in -d '{"email":"${ACCOUNTS.linus.email}","password":"${ACCOUNTS.linus.password}"}'

Register a patient, correct the telephone number

  ${post}/patients -d '{"name":"Alan","bornOn":"1952-06-23","contact":{"phone":"555 0137","city":"Manchester"},
    "allergies":["Latex"],"appointments":[{"startsAt":"2031-03-10T09:00:00Z","room":"1","fee":"45.50","doctorId":2}]}'
  ${post}/patients/1/contact -X PATCH -d '{"contact":{"phone":"555 0173","city":"Manchester"}}'

Read and verify the log, from another terminal in this repository

  export AUDIT_DATABASE_URL='file:${file}' AUDIT_HMAC_KEY='${key}'
  node packages/cli/dist/bin.js tail
  node packages/cli/dist/bin.js history Patient 1
  node packages/cli/dist/bin.js verify
`);

  // A Ctrl-C arrives twice, from the terminal and from the process that started this one: both are listened for to the
  // end, or the second would kill what the first has begun to stop.
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => resolve());
  });
  await clinic.stop();
}
