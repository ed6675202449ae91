import { type Audit, type AuditEvent, createAudit, createMemoryStore, readBody } from '@indelible/core';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { admin, magicLink, twoFactor } from 'better-auth/plugins';
import { onTestFinished } from 'vitest';
import { auditBetterAuth } from '../src/index.js';

export const ORIGIN = 'http://clinic.example';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | null;
  readonly location: string | null;
}

/** Somebody with cookies of his own. */
export interface Browser {
  call(path: string, body?: object): Promise<Answer>;
  cookies(): string;
}

export interface BetterAuthApp {
  readonly auth: ReturnType<typeof createAuth>;
  readonly audit: Audit;
  readonly errors: readonly Error[];
  /** What would have been mailed: tokens and links. */
  readonly mail: string[];
  readonly rows: Record<string, Record<string, unknown>[]>;
  browser(): Browser;
  events(): Promise<readonly AuditEvent[]>;
  bytes(): Promise<string>;
}

function createAuth(rows: BetterAuthApp['rows'], mail: string[], audit: Audit | undefined) {
  return betterAuth({
    baseURL: ORIGIN,
    secret: 'the secret of better-auth in this test, long enough',
    database: memoryAdapter(rows),
    emailAndPassword: {
      enabled: true,
      sendResetPassword: async ({ token }) => void mail.push(token),
    },
    socialProviders: { github: { clientId: 'clinic', clientSecret: 'of a test' } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [
      twoFactor(),
      admin(),
      magicLink({ sendMagicLink: async ({ token }) => void mail.push(token) }),
      ...(audit === undefined ? [] : [auditBetterAuth({ audit })]),
    ],
  });
}

/** better-auth on its memory adapter, called as HTTP calls it. */
export function openBetterAuth({
  audited = true,
  ...given
}: {
  audited?: boolean;
  audit?: Audit;
} = {}): BetterAuthApp {
  const store = createMemoryStore();
  const errors: Error[] = [];
  const audit =
    given.audit ??
    createAudit({
      store,
      hmacKey: 'x'.repeat(32),
      lifecycleEvents: false,
      onError: (error) => errors.push(error),
    });
  onTestFinished(() => audit.close());
  const rows: BetterAuthApp['rows'] = { user: [], session: [], account: [], verification: [], twoFactor: [] };
  const mail: string[] = [];
  const auth = createAuth(rows, mail, audited ? audit : undefined);
  const listed = async () => {
    await audit.flush();
    return store.list({ limit: 1_000 });
  };
  return {
    auth,
    audit,
    errors,
    mail,
    rows,
    browser: () => openBrowser((request) => auth.handler(request)),
    events: async () => (await listed()).map(({ body }) => readBody(body)),
    bytes: async () => (await listed()).map(({ body }) => Buffer.from(body).toString()).join('\n'),
  };
}

function openBrowser(handle: (request: Request) => Promise<Response>): Browser {
  const cookies = new Map<string, string>();
  const header = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return {
    cookies: header,
    call: async (path, body) => {
      const answer = await handle(
        new Request(`${ORIGIN}/api/auth${path}`, {
          method: body === undefined ? 'GET' : 'POST',
          headers: {
            'content-type': 'application/json',
            origin: ORIGIN,
            cookie: header(),
            'user-agent': 'a browser',
            'x-request-id': path.split('?')[0]?.replaceAll('/', '-') ?? '',
          },
          ...(body === undefined ? undefined : { body: JSON.stringify(body) }),
        }),
      );
      for (const cookie of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        if (value === '' || /max-age=0/i.test(cookie)) cookies.delete(name);
        else cookies.set(name, value);
      }
      const text = await answer.text();
      return {
        status: answer.status,
        body: text === '' ? null : (JSON.parse(text) as Answer['body']),
        location: answer.headers.get('location'),
      };
    },
  };
}
