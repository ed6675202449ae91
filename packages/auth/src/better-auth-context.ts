/** What is read of a call of better-auth. Its shape nobody vouches for, so each part may be missing. */
export interface BetterAuthCall {
  readonly path?: unknown;
  readonly body?: unknown;
  readonly request?: unknown;
  readonly headers?: unknown;
  readonly method?: unknown;
  readonly context?: {
    readonly returned?: unknown;
    readonly newSession?: SessionOfUser | null;
    readonly session?: SessionOfUser | null;
  };
}

export interface SessionOfUser {
  readonly session?: { readonly id?: unknown; readonly userId?: unknown; readonly impersonatedBy?: unknown };
  readonly user?: { readonly id?: unknown };
}

/** The user who was signed in when the call came. */
export function signedIn(call: BetterAuthCall): object | undefined {
  return objectOf(call.context?.session?.user);
}

/** The request, or what a call without one (`auth.api.signInEmail({ headers, body })`) has of it. */
export function requestOf(call: BetterAuthCall): object | undefined {
  const request = objectOf(call.request);
  if (request !== undefined) return request;
  const headers = objectOf(call.headers);
  return headers === undefined ? undefined : { headers, method: call.method };
}

/** Why the call failed; undefined where it did not. A redirect fails where its address says `error`. */
export function failureOf(call: BetterAuthCall): string | undefined {
  const returned = objectOf(call.context?.returned);
  const status = returned === undefined ? undefined : Reflect.get(returned, 'statusCode');
  if (returned === undefined || typeof status !== 'number') return undefined;
  if (status < 400) return redirectError(returned);
  const body = objectOf(Reflect.get(returned, 'body'));
  const code = body === undefined ? undefined : (Reflect.get(body, 'code') ?? Reflect.get(body, 'message'));
  return typeof code === 'string' && code !== '' ? code.toLowerCase() : String(status);
}

function redirectError(returned: object): string | undefined {
  const headers = objectOf(Reflect.get(returned, 'headers'));
  const location = headers instanceof Headers ? headers.get('location') : undefined;
  const query = location?.split('?')[1];
  return query === undefined ? undefined : new URLSearchParams(query).get('error')?.toLowerCase();
}

export function objectOf(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

export function textOf(value: unknown, name: string): string | undefined {
  const found = objectOf(value) === undefined ? undefined : Reflect.get(value as object, name);
  return typeof found === 'string' ? found : undefined;
}
