import { readField, readPath } from './request-reading.js';

/** The route that answers a request, as the application wrote it. */
export interface RequestRoute {
  /** `/patients/:id`, with the prefix of the router that it is mounted in. */
  readonly pattern: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The route of an Express or Fastify request, or undefined where none matched (yet). */
export function readRoute(req: object): RequestRoute | undefined {
  const options = readField(req, 'routeOptions');
  if (typeof options === 'object' && options !== null) {
    const url = readField(options, 'url');
    return typeof url === 'string' ? { pattern: url, params: readParams(req) } : undefined;
  }
  const route = readField(req, 'route');
  if (typeof route !== 'object' || route === null) return undefined;
  const path = readField(route, 'path');
  const params = readParams(req);
  if (typeof path !== 'string') return { pattern: String(path), params };
  const base = readField(req, 'baseUrl');
  if (typeof base === 'string' && base !== '') return { pattern: join(base, path), params };
  // After an error Express has taken the router's prefix and the parameters off the request again.
  const lost = restoreMounted(path, readPath(req));
  return lost === undefined ? { pattern: path, params } : { ...lost, params: { ...lost.params, ...params } };
}

function readParams(req: object): Readonly<Record<string, unknown>> {
  const params = readField(req, 'params');
  return typeof params === 'object' && params !== null ? { ...params } : {};
}

function join(base: string, path: string): string {
  if (path === '/') return base;
  return path.startsWith('/') ? base + path : `${base}/${path}`;
}

/** Matches a pattern of plain segments and `:names` against the end of the path; what is before it is the prefix. */
function restoreMounted(pattern: string, path: string): RequestRoute | undefined {
  if (!/^[\w\-./:]*$/.test(pattern)) return undefined;
  const names = pattern.split('/').filter((part) => part !== '');
  const parts = path.split('/').filter((part) => part !== '');
  const skipped = parts.length - names.length;
  if (skipped < 0) return undefined;
  const params: Record<string, string> = {};
  for (const [at, name] of names.entries()) {
    const part = parts[skipped + at] ?? '';
    if (name.startsWith(':')) params[name.slice(1)] = decode(part);
    else if (name.toLowerCase() !== part.toLowerCase()) return undefined;
  }
  const prefix = parts.slice(0, skipped);
  const mounted = [...prefix, ...names].join('/');
  return { pattern: `/${mounted}`, params };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
