// Preloaded with `node --import`: one request seems to be answered, and never reaches the application.
const send = globalThis.fetch;

globalThis.fetch = async (url, init) =>
  String(url).endsWith(process.env.LOST_REQUEST) ? new Response(null, { status: 204 }) : send(url, init);
