import { createHash } from 'node:crypto';

export const LOG = 'audit';
export const SECRET = 'a secret of more than thirty-two bytes for tests';

/** The n-th event of a writer, the same bytes each time: a retry after a crash makes it anew. */
export function makeEvent(writer, n) {
  const time = new Date(1_790_000_000_000 + n).toISOString();
  const id = `0190${writer.toString(16).padStart(4, '0')}-${n.toString(16).padStart(4, '0')}-7000-8000-${(writer * 65_536 + n).toString(16).padStart(12, '0')}`;
  const body = Buffer.from(
    JSON.stringify({
      action: 'patient.updated',
      actor: { id: `writer-${writer}`, type: 'service' },
      category: 'data',
      context: {},
      id,
      log: LOG,
      outcome: 'success',
      resource: { id: String(n), type: 'Patient' },
      salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
      time,
      v: 1,
    }),
  );
  return {
    id,
    log: LOG,
    category: 'data',
    body,
    leaf: createHash('sha256').update(Uint8Array.of(0)).update(body).digest(),
    columns: {
      time,
      action: 'patient.updated',
      category: 'data',
      outcome: 'success',
      actorType: 'service',
      actorId: `writer-${writer}`,
      resourceType: 'Patient',
      resourceId: String(n),
      tenant: null,
      requestId: null,
      transactionId: null,
      ip: null,
    },
  };
}

export function makeEvents(writer, from, to) {
  return Array.from({ length: to - from }, (_, at) => makeEvent(writer, from + at));
}
