import { ACCOUNTS, type Account } from '../seed.js';
import { type Answer, createVisitor, type Visitor } from './visitor.js';

/** One request of the day, told and played. */
export interface Step {
  readonly who: string;
  readonly story: string;
  readonly answer: Answer;
  readonly expected: number;
}

export interface Day {
  readonly steps: readonly Step[];
  /** What went over the wire and may stand nowhere in the database file. */
  readonly secrets: ReadonlyMap<string, string>;
}

const CARD = { cardNumber: '4242 4242 4242 4242', cvv: '737' };
const NEW_PASSWORD = 'difference-engine-No-2';
const WRONG_PASSWORD = 'just-for-fun-since-19';
const BEARER = 'Bearer 7f3c9e51d0b84a6e92c7-front-desk-terminal';

/** Plays a day at the clinic over HTTP and says which answer each request had. */
export async function playDay(url: string, tell: (step: Step) => void): Promise<Day> {
  const steps: Step[] = [];
  const step = async (
    visitor: Visitor,
    story: string,
    expected: number,
    ...request: Parameters<Visitor['send']>
  ): Promise<void> => {
    const answer = await visitor.send(...request);
    const done = { who: visitor.name, story, answer, expected };
    steps.push(done);
    tell(done);
  };
  const signIn = (visitor: Visitor, { email, password }: Account) =>
    step(visitor, 'signs in', 200, 'POST', '/sign-in', { email, password });

  const linus = createVisitor('Linus', url);
  const florence = createVisitor('Florence', url);
  const ada = createVisitor('Ada', url);
  const grace = createVisitor('Grace', url);
  const mallory = createVisitor('Mallory', url);
  const on = { doctorId: 2, fee: '45.50', room: '1' };
  const { email } = ACCOUNTS.linus;

  await step(linus, 'mistypes his password', 401, 'POST', '/sign-in', { email, password: WRONG_PASSWORD });
  await signIn(linus, ACCOUNTS.linus);
  await step(mallory, 'tries an account that does not exist', 401, 'POST', '/sign-in', {
    email: 'root@clinic.example',
    password: 'letmein-letmein-letmein',
  });
  await step(mallory, 'asks for a patient without signing in', 401, 'GET', '/patients/1');

  await step(linus, 'registers Alan: two allergies, one appointment, in one go', 201, 'POST', '/patients', {
    name: 'Alan',
    bornOn: '1952-06-23',
    contact: { phone: '555 0137', city: 'Manchester' },
    allergies: ['Penicillin', 'Latex'],
    appointments: [{ ...on, startsAt: at(9, 0) }],
  });
  await step(linus, 'registers Barbara: two appointments', 201, 'POST', '/patients', {
    name: 'Barbara',
    bornOn: '1969-11-07',
    contact: { phone: '555 0190', city: 'Boston' },
    appointments: [
      { ...on, startsAt: at(10, 0) },
      { ...on, startsAt: at(14, 30), fee: '20.00' },
    ],
  });
  await step(linus, 'registers her a second time by mistake', 201, 'POST', '/patients', {
    name: 'Barbra',
    bornOn: '1969-11-07',
    contact: { phone: '555 0190', city: 'Boston' },
    allergies: ['Latex'],
    appointments: [{ ...on, startsAt: at(15, 0) }],
  });
  await step(linus, "corrects Alan's telephone number", 200, 'PATCH', '/patients/1/contact', {
    phone: '555 0173',
    city: 'Manchester',
  });

  await signIn(florence, ACCOUNTS.florence);
  await step(florence, 'notes that Alan has arrived', 200, 'POST', '/appointments/1/arrival');
  await step(florence, 'tries to prescribe, which a nurse may not', 403, 'POST', '/prescriptions', {
    appointmentId: 1,
    items: [prescribe(1, '500', 21, 'one, three times a day')],
  });

  await signIn(ada, ACCOUNTS.ada);
  await step(ada, 'prescribes two drugs, which leave the stock', 201, 'POST', '/prescriptions', {
    appointmentId: 1,
    items: [prescribe(2, '400', 20, 'one when it hurts'), prescribe(3, '10', 10, 'one in the evening')],
  });
  await step(ada, 'prescribes more than there is: rolled back', 409, 'POST', '/prescriptions', {
    appointmentId: 2,
    items: [
      prescribe(1, '500', 21, 'one, three times a day'),
      prescribe(3, '10', 5000, 'one in the evening'),
    ],
  });

  await step(linus, 'takes a payment by card', 201, 'POST', '/payments', {
    patientId: 1,
    amount: '45.50',
    ...CARD,
    comment: `sent with ${BEARER}`,
  });
  await step(linus, "moves the afternoon's appointments to room 2", 200, 'POST', '/appointments/move', {
    from: at(12, 0),
    room: '2',
  });

  await signIn(grace, ACCOUNTS.grace);
  await step(
    grace,
    'deletes the second Barbara, and with her what hangs on her',
    204,
    'DELETE',
    '/patients/3',
  );
  await step(grace, 'makes Florence a doctor', 200, 'PUT', '/staff/3/role', { role: 'doctor' });
  await step(ada, 'changes her password', 200, 'PUT', '/password', {
    currentPassword: ACCOUNTS.ada.password,
    newPassword: NEW_PASSWORD,
  });
  await step(
    linus,
    'closes the day: who did not come is marked by raw SQL',
    200,
    'POST',
    '/appointments/close-day',
    {
      until: at(23, 0),
    },
  );
  await step(linus, 'signs out', 200, 'POST', '/sign-out');

  return {
    steps,
    secrets: new Map([
      ...Object.values(ACCOUNTS).map(({ name, password }): [string, string] => [
        `${name}'s password`,
        password,
      ]),
      ['the mistyped password', WRONG_PASSWORD],
      ["Ada's new password", NEW_PASSWORD],
      ['the card number', CARD.cardNumber],
      ['the card number without spaces', CARD.cardNumber.replaceAll(' ', '')],
      ['the bearer token', BEARER.split(' ')[1] ?? BEARER],
      ...[linus, florence, ada, grace].flatMap(({ name, tokens }) =>
        tokens.map((token): [string, string] => [`${name}'s session token`, token]),
      ),
    ]),
  };
}

function prescribe(drugId: number, doseMg: string, tablets: number, instructions: string) {
  return { drugId, doseMg, tablets, instructions };
}

/** A time of one spring day, as ISO 8601. */
function at(hour: number, minute: number): string {
  return new Date(Date.UTC(2031, 2, 10, hour, minute)).toISOString();
}
