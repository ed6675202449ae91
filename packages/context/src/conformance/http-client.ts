import { type Agent, type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HttpCall {
  readonly port: number;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent chunk by chunk; more than one with a pause in between. */
  readonly body?: readonly (string | Uint8Array)[];
  readonly pauseMs?: number;
  readonly agent?: Agent;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export async function call(options: HttpCall): Promise<HttpAnswer> {
  const sent = open(options);
  const answer = new Promise<HttpAnswer>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
  });
  await sendBody(sent, options);
  return answer;
}

/** Sends a request and hangs up after the first byte of the answer, or after `ms` where none comes. */
export async function callAndHangUp(options: HttpCall, ms: number): Promise<void> {
  const sent = open(options);
  const closed = new Promise<void>((resolve) => sent.on('close', resolve));
  sent.on('error', () => undefined);
  sent.on('response', (response) => {
    response.on('error', () => undefined);
    response.once('data', () => sent.destroy());
  });
  await sendBody(sent, options);
  const timer = setTimeout(() => sent.destroy(), ms);
  await closed;
  clearTimeout(timer);
}

function open(options: HttpCall): ClientRequest {
  const { port, method = 'GET', path, headers = {}, agent = false } = options;
  const own = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
  return request({ host: '127.0.0.1', port, method, path, headers: own, agent });
}

async function sendBody(sent: ClientRequest, options: HttpCall): Promise<void> {
  const chunks = options.body ?? [];
  for (const [at, chunk] of chunks.entries()) {
    if (at > 0) await sleep(options.pauseMs ?? 0);
    sent.write(chunk);
  }
  sent.end();
}

/** A multipart body (RFC 7578) of text fields and one file, in chunks. */
export function multipart(
  fields: Readonly<Record<string, string>>,
  file: Uint8Array,
): { readonly headers: Readonly<Record<string, string>>; readonly body: readonly (string | Uint8Array)[] } {
  const boundary = 'indelible-9d2f7c';
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const half = file.length >> 1;
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: [
      `${parts.join('')}--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="scan.bin"\r\ncontent-type: application/octet-stream\r\n\r\n`,
      file.subarray(0, half),
      file.subarray(half),
      `\r\n--${boundary}--\r\n`,
    ],
  };
}
