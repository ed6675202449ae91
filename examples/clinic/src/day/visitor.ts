export interface Answer {
  readonly status: number;
  /** The id under which the server keeps this request, from its `x-request-id` header. */
  readonly requestId: string | null;
}

/** Somebody at a terminal: sends JSON and keeps the session cookie. */
export interface Visitor {
  send(method: string, path: string, body?: object): Promise<Answer>;
  /** Every session cookie that they were given. */
  readonly tokens: readonly string[];
}

export function createVisitor(name: string, url: string): Visitor {
  const tokens: string[] = [];
  let cookie: string | undefined;
  return {
    tokens,
    async send(method, path, body) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          'user-agent': `terminal of ${name}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(cookie === undefined ? {} : { cookie }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      await response.arrayBuffer();
      const [set] = response.headers.getSetCookie();
      if (set !== undefined) {
        cookie = set.split(';', 1)[0];
        const token = cookie?.split('=', 2)[1];
        if (token) tokens.push(token);
      }
      return { status: response.status, requestId: response.headers.get('x-request-id') };
    },
  };
}
