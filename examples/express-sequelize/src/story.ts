import type { Scene, Teller } from '@indelible/example-story';

export const TOKENS = { rosa: 'token-of-rosa', karl: 'token-of-karl' };
export const SECRETS = ['open sesame', 'abracadabra'];

const PARTS = [
  { name: 'bolt', cents: 20, stock: 5 },
  { name: 'gear', cents: 400, stock: 2 },
];

/** What happens in the store, and what must be on record of it. */
export function createScenes(ask: Teller): readonly Scene[] {
  const scene = (
    title: string,
    [who, method, path, body]: Parameters<Teller>,
    status: number,
    events: readonly string[],
  ): Scene => ({ title, act: () => ask(who, method, path, body), status, events });

  return [
    scene('Karl, a customer, may not', ['karl', 'POST', '/parts', { parts: PARTS }], 403, [
      'karl (customer) · request.completed · denied · 403',
    ]),
    scene('Rosa adds parts, in bulk', ['rosa', 'POST', '/parts', { parts: PARTS }], 201, [
      'rosa (clerk) · part.created · Part 1 · + cents 20, id 1, name "bolt", stock 5',
      'rosa (clerk) · part.created · Part 2 · + cents 400, id 2, name "gear", stock 2',
      'rosa (clerk) · request.completed · 201',
    ]),
    scene('All prices rise, by an expression of the database', ['rosa', 'POST', '/parts/raise'], 200, [
      'rosa (clerk) · part.updated · Part 1 · cents 20 → 30',
      'rosa (clerk) · part.updated · Part 2 · cents 400 → 410',
      'rosa (clerk) · request.completed · 200',
    ]),
    scene(
      'An order with its lines, in one transaction with the stock',
      ['rosa', 'POST', '/orders', { customer: 'Karl', lines: [{ partId: 1, quantity: 3 }] }],
      201,
      [
        'rosa (clerk) · order.created · Order 1 · + customer "Karl", id 1',
        'rosa (clerk) · order_line.created · OrderLine 1 · + id 1, orderId 1, partId 1, quantity 3',
        'rosa (clerk) · part.updated · Part 1 · stock 5 → 2',
        'rosa (clerk) · request.completed · 201',
      ],
    ),
    scene(
      'and one of more than there is: rolled back',
      ['rosa', 'POST', '/orders', { customer: 'Karl', lines: [{ partId: 2, quantity: 3 }] }],
      409,
      ['rosa (clerk) · request.completed · failure · 409'],
    ),
    scene('Labels come', ['rosa', 'PUT', '/orders/1/labels', { labels: ['late', 'large'] }], 204, [
      'rosa (clerk) · label.created · Label late · + name "late"',
      'rosa (clerk) · label.created · Label large · + name "large"',
      'rosa (clerk) · order_label.linked · OrderLabel {"LabelName":"late","orderId":1} · + LabelName "late", orderId 1',
      'rosa (clerk) · order_label.linked · OrderLabel {"LabelName":"large","orderId":1} · + LabelName "large", orderId 1',
      'rosa (clerk) · request.completed · 204',
    ]),
    scene('and go', ['rosa', 'PUT', '/orders/1/labels', { labels: ['large'] }], 204, [
      'rosa (clerk) · order_label.unlinked · OrderLabel {"LabelName":"late","orderId":1} · - LabelName "late", orderId 1',
      'rosa (clerk) · request.completed · 204',
    ]),
    scene(
      'A supplier is new: the upsert creates',
      ['rosa', 'PUT', '/suppliers/acme', { name: 'Acme', apiKey: 'open sesame' }],
      204,
      [
        'rosa (clerk) · supplier.created · Supplier acme · + apiKey ‹masked›, code "acme", name "Acme"',
        'rosa (clerk) · request.completed · 204',
      ],
    ),
    scene(
      'and gets another key: it updates',
      ['rosa', 'PUT', '/suppliers/acme', { name: 'Acme', apiKey: 'abracadabra' }],
      204,
      [
        'rosa (clerk) · supplier.updated · Supplier acme · apiKey ‹masked› → ‹masked›',
        'rosa (clerk) · request.completed · 204',
      ],
    ),
    scene('Raw SQL', ['rosa', 'POST', '/parts/2/sell-off'], 204, [
      'rosa (clerk) · part.updated · Part 2 · cents 410 → 1',
      'rosa (clerk) · request.completed · 204',
    ]),
    scene('The prices are exported, which changes nothing', ['rosa', 'GET', '/parts/export'], 200, [
      'rosa (clerk) · prices.exported',
    ]),
    scene('The order is deleted softly', ['rosa', 'DELETE', '/orders/1'], 204, [
      'rosa (clerk) · order.soft_deleted · Order 1 · deletedAt null → ‹time›',
      'rosa (clerk) · request.completed · 204',
    ]),
    scene('restored', ['rosa', 'POST', '/orders/1/restore'], 204, [
      'rosa (clerk) · order.restored · Order 1 · deletedAt ‹time› → null',
      'rosa (clerk) · request.completed · 204',
    ]),
    scene('loses its last label', ['rosa', 'PUT', '/orders/1/labels', { labels: [] }], 204, [
      'rosa (clerk) · order_label.unlinked · OrderLabel {"LabelName":"large","orderId":1} · - LabelName "large", orderId 1',
      'rosa (clerk) · request.completed · 204',
    ]),
    scene('and is deleted, with what foreign keys take along', ['rosa', 'DELETE', '/orders/1/forever'], 204, [
      'rosa (clerk) · order.deleted · Order 1 · - customer "Karl", id 1',
      'rosa (clerk) · order_line.deleted · OrderLine 1 · - id 1, orderId 1, partId 1, quantity 3',
      'rosa (clerk) · request.completed · 204',
    ]),
  ];
}
