// Preloaded with `node --import`: the terminal says that the role was changed, and the request never reaches the clinic.
const send = globalThis.fetch;

globalThis.fetch = async (url, init) =>
  init?.method === 'PUT' && new URL(url).pathname.endsWith('/role')
    ? new Response('{}', { status: 200, headers: { 'x-request-id': 'lost' } })
    : send(url, init);
