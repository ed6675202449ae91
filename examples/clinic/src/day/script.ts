import { ACCOUNTS, type Account } from '../seed.js';

export type Person = keyof typeof ACCOUNTS | 'mallory';

/** One request of the day, what the clinic must answer, and what must be on record of it. */
export interface Scene {
  readonly who: Person;
  readonly story: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
  readonly status: number;
  /** How many events of each action, beside the one of the request itself. */
  readonly records: Readonly<Record<string, number>>;
}

const CARD = '4242 4242 4242 4242';
const BEARER = '7f3c9e51d0b84a6e92c7-front-desk-terminal';
const NEW_PASSWORD = 'difference-engine-No-2';
const WRONG_PASSWORD = 'just-for-fun-since-19';
const UNKNOWN_EMAIL = 'root@clinic.example';
const GUESSED_PASSWORD = 'letmein-letmein-letmein';
const NOTHING = {};

/** What goes over the wire and may stand nowhere in the database file, by what it is. */
export const SECRETS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.values(ACCOUNTS).map(({ name, password }) => [`${name}'s password`, password]),
  ),
  'the mistyped password': WRONG_PASSWORD,
  'the address that Mallory tried': UNKNOWN_EMAIL,
  "Mallory's guess": GUESSED_PASSWORD,
  "Ada's new password": NEW_PASSWORD,
  'the card number': CARD,
  'the card number without spaces': CARD.replaceAll(' ', ''),
  'the bearer token': BEARER,
};

/** A day at the clinic. Ids count up from 1, so the script knows them. */
export const SCENES: readonly Scene[] = [
  {
    who: 'linus',
    story: 'mistypes his password',
    method: 'POST',
    path: '/sign-in',
    body: { email: ACCOUNTS.linus.email, password: WRONG_PASSWORD },
    status: 401,
    records: { 'auth.login_failed': 1 },
  },
  signIn('linus', ACCOUNTS.linus),
  {
    who: 'mallory',
    story: 'tries an account that does not exist',
    method: 'POST',
    path: '/sign-in',
    body: { email: UNKNOWN_EMAIL, password: GUESSED_PASSWORD },
    status: 401,
    records: { 'auth.login_failed': 1 },
  },
  {
    who: 'mallory',
    story: 'asks for a patient without signing in',
    method: 'GET',
    path: '/patients/1',
    status: 401,
    records: NOTHING,
  },
  {
    who: 'linus',
    story: 'registers Alan with two allergies and an appointment',
    method: 'POST',
    path: '/patients',
    body: {
      name: 'Alan',
      bornOn: '1952-06-23',
      contact: { phone: '555 0137', city: 'Manchester' },
      allergies: ['Penicillin', 'Latex'],
      appointments: [appointment('09:00', '45.50')],
    },
    status: 201,
    records: {
      'patient.created': 1,
      'allergy.created': 1,
      'allergy_to_patient.linked': 2,
      'appointment.created': 1,
    },
  },
  {
    who: 'linus',
    story: 'registers Barbara with two appointments',
    method: 'POST',
    path: '/patients',
    body: {
      name: 'Barbara',
      bornOn: '1969-11-07',
      contact: { phone: '555 0190', city: 'Boston' },
      appointments: [appointment('10:00', '45.50'), appointment('14:30', '20.00')],
    },
    status: 201,
    records: { 'patient.created': 1, 'appointment.created': 2 },
  },
  {
    who: 'linus',
    story: 'registers her a second time by mistake',
    method: 'POST',
    path: '/patients',
    body: {
      name: 'Barbra',
      bornOn: '1969-11-07',
      contact: { phone: '555 0190', city: 'Boston' },
      allergies: ['Latex'],
      appointments: [appointment('15:00', '20.00')],
    },
    status: 201,
    records: { 'patient.created': 1, 'allergy_to_patient.linked': 1, 'appointment.created': 1 },
  },
  {
    who: 'linus',
    story: "corrects Alan's telephone number",
    method: 'PATCH',
    path: '/patients/1/contact',
    body: { contact: { phone: '555 0173', city: 'Manchester' } },
    status: 200,
    records: { 'patient.updated': 1 },
  },
  signIn('florence', ACCOUNTS.florence),
  {
    who: 'florence',
    story: 'notes that Alan has arrived',
    method: 'POST',
    path: '/appointments/1/arrival',
    status: 200,
    records: { 'appointment.updated': 1 },
  },
  {
    who: 'florence',
    story: 'tries to prescribe, which a nurse may not',
    method: 'POST',
    path: '/prescriptions',
    body: { appointmentId: 1, items: [item(1, '500', 21, 'one, three times a day')] },
    status: 403,
    records: NOTHING,
  },
  signIn('ada', ACCOUNTS.ada),
  {
    who: 'ada',
    story: 'prescribes two drugs, which leave the stock',
    method: 'POST',
    path: '/prescriptions',
    body: {
      appointmentId: 1,
      items: [item(2, '400', 20, 'one when it hurts'), item(3, '10', 10, 'one in the evening')],
    },
    status: 201,
    records: {
      'appointment.updated': 1,
      'prescription.created': 1,
      'prescription_item.created': 2,
      'drug.updated': 2,
    },
  },
  {
    who: 'ada',
    story: 'prescribes more than there is: rolled back',
    method: 'POST',
    path: '/prescriptions',
    body: {
      appointmentId: 2,
      items: [item(1, '500', 21, 'one, three times a day'), item(3, '10', 5000, 'one in the evening')],
    },
    status: 409,
    records: NOTHING,
  },
  {
    who: 'linus',
    story: 'takes a payment by card',
    method: 'POST',
    path: '/payments',
    body: {
      patientId: 1,
      amount: '45.50',
      cardNumber: CARD,
      cvv: '737',
      comment: `sent with Bearer ${BEARER}`,
    },
    status: 201,
    records: { 'payment.created': 1 },
  },
  {
    who: 'linus',
    story: "moves the afternoon's appointments to room 2",
    method: 'POST',
    path: '/appointments/move',
    body: { from: today('12:00'), room: '2' },
    status: 200,
    records: { 'appointment.updated': 2 },
  },
  signIn('grace', ACCOUNTS.grace),
  {
    who: 'grace',
    story: 'deletes the second Barbara and what hangs on her',
    method: 'DELETE',
    path: '/patients/3',
    status: 204,
    records: { 'patient.deleted': 1, 'appointment.deleted': 1, 'allergy_to_patient.unlinked': 1 },
  },
  {
    who: 'grace',
    story: 'makes Florence a doctor',
    method: 'PUT',
    path: '/staff/3/role',
    body: { role: 'doctor' },
    status: 200,
    records: { 'staff.updated': 1, 'auth.role_changed': 1 },
  },
  {
    who: 'ada',
    story: 'changes her password',
    method: 'PUT',
    path: '/password',
    body: { currentPassword: ACCOUNTS.ada.password, newPassword: NEW_PASSWORD },
    status: 200,
    records: { 'staff.updated': 1, 'auth.password_changed': 1 },
  },
  {
    who: 'linus',
    story: 'closes the day: raw SQL marks who did not come',
    method: 'POST',
    path: '/appointments/close-day',
    body: { until: today('23:00') },
    status: 200,
    records: { 'appointment.updated': 2 },
  },
  {
    who: 'linus',
    story: 'signs out',
    method: 'POST',
    path: '/sign-out',
    status: 200,
    records: { 'session.deleted': 1, 'auth.logout': 1 },
  },
];

function signIn(who: Person, { email, password }: Account): Scene {
  return {
    who,
    story: 'signs in',
    method: 'POST',
    path: '/sign-in',
    body: { email, password },
    status: 200,
    records: { 'session.created': 1, 'auth.login': 1 },
  };
}

function appointment(time: string, fee: string) {
  return { startsAt: today(time), room: '1', fee, doctorId: 2 };
}

function item(drugId: number, doseMg: string, tablets: number, instructions: string) {
  return { drugId, doseMg, tablets, instructions };
}

/** @param time of the day that is played, such as `09:00` */
function today(time: string): string {
  return `2031-03-10T${time}:00.000Z`;
}
