import type { Scene, Teller } from '@indelible/example-story';

export const TOKENS = { mira: 'token-of-mira', tom: 'token-of-tom' };
export const SECRETS = ['correct horse', 'battery staple', 'owes us a coffee'];

/** What happens in the library, and what must be on record of it. */
export function createScenes(ask: Teller): readonly Scene[] {
  const scene = (
    title: string,
    [who, method, path, body]: Parameters<Teller>,
    status: number,
    events: readonly string[],
  ): Scene => ({ title, act: () => ask(who, method, path, body), status, events });

  return [
    scene('Nobody is signed in', [undefined, 'POST', '/books', {}], 401, [
      'anonymous · request.completed · denied · 401',
    ]),
    scene('Tom, a reader, may not', ['tom', 'POST', '/books', {}], 403, [
      'tom (reader) · request.completed · denied · 403',
    ]),
    scene('Mira adds a book', ['mira', 'POST', '/books', { title: 'Dune', shelf: 'A', copies: 1 }], 201, [
      'mira (librarian) · book.created · Book 1 · + copies 1, id 1, shelf "A", title "Dune"',
      'mira (librarian) · request.completed · 201',
    ]),
    scene('and another one', ['mira', 'POST', '/books', { title: 'Emma', shelf: 'A', copies: 2 }], 201, [
      'mira (librarian) · book.created · Book 2 · + copies 2, id 2, shelf "A", title "Emma"',
      'mira (librarian) · request.completed · 201',
    ]),
    scene('and one without a title', ['mira', 'POST', '/books', { shelf: 'A', copies: 2 }], 400, [
      'mira (librarian) · request.completed · failure · 400',
    ]),
    scene(
      'Two books move to another shelf, by one statement',
      ['mira', 'POST', '/books/move', { from: 'A', to: 'B' }],
      200,
      [
        'mira (librarian) · book.updated · Book 1 · shelf "A" → "B"',
        'mira (librarian) · book.updated · Book 2 · shelf "A" → "B"',
        'mira (librarian) · request.completed · 200',
      ],
    ),
    scene(
      'A reader comes: a password is masked, and what is @NotAudited() is nowhere',
      ['mira', 'POST', '/readers', { name: 'Tom', password: 'correct horse', notes: 'owes us a coffee' }],
      201,
      [
        'mira (librarian) · reader.created · Reader 1 · + id 1, name "Tom", password ‹masked›',
        'mira (librarian) · request.completed · 201',
      ],
    ),
    scene('and changes it', ['mira', 'PATCH', '/readers/1', { password: 'battery staple' }], 204, [
      'mira (librarian) · reader.updated · Reader 1 · password ‹masked› → ‹masked›',
      'mira (librarian) · request.completed · 204',
    ]),
    scene('Tom borrows the only copy', ['mira', 'POST', '/loans', { book: 1, reader: 1 }], 201, [
      'mira (librarian) · loan.created · Loan 1 · + book.id 1, id 1, reader.id 1',
      'mira (librarian) · book.updated · Book 1 · copies 1 → 0',
      'mira (librarian) · request.completed · 201',
    ]),
    scene('and once more, which is rolled back', ['mira', 'POST', '/loans', { book: 1, reader: 1 }], 409, [
      'mira (librarian) · request.completed · failure · 409',
    ]),
    scene('The catalogue is exported, which changes nothing', ['mira', 'GET', '/books/export'], 200, [
      'mira (librarian) · catalogue.exported',
    ]),
    scene('Tom gives the book back', ['mira', 'DELETE', '/loans/1'], 204, [
      'mira (librarian) · book.updated · Book 1 · copies 0 → 1',
      'mira (librarian) · loan.deleted · Loan 1 · - book.id 1, id 1, reader.id 1',
      'mira (librarian) · request.completed · 204',
    ]),
    scene('takes another one', ['mira', 'POST', '/loans', { book: 2, reader: 1 }], 201, [
      'mira (librarian) · loan.created · Loan 2 · + book.id 2, id 2, reader.id 1',
      'mira (librarian) · book.updated · Book 2 · copies 2 → 1',
      'mira (librarian) · request.completed · 201',
    ]),
    scene('leaves', ['mira', 'DELETE', '/readers/1'], 204, [
      'mira (librarian) · reader.soft_deleted · Reader 1 · left null → ‹time›',
      'mira (librarian) · request.completed · 204',
    ]),
    scene(
      'and is deleted by raw SQL, whose foreign key takes the loan along',
      ['mira', 'DELETE', '/readers/1/forever'],
      204,
      [
        'mira (librarian) · reader.deleted · Reader 1 · - id 1, left ‹time›, name "Tom", password ‹masked›',
        'mira (librarian) · loan.deleted · Loan 2 · - book.id 2, id 2, reader.id 1',
        'mira (librarian) · request.completed · 204',
      ],
    ),
  ];
}
