import type { Database } from './database.js';
import type { Role } from './generated/prisma/enums.js';
import { hashPassword } from './passwords.js';

export interface Account {
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly password: string;
}

/** The people of a fresh clinic. Their ids are 1 to 4, in this order. */
export const ACCOUNTS = {
  grace: account('Grace', 'admin', 'cobol-compiles-at-dawn'),
  ada: account('Ada', 'doctor', 'notes-on-the-engine-G'),
  florence: account('Florence', 'nurse', 'lamps-lit-in-scutari'),
  linus: account('Linus', 'receptionist', 'just-for-fun-since-91'),
} as const satisfies Record<string, Account>;

export async function seed(prisma: Database): Promise<void> {
  const data = await Promise.all(
    Object.values(ACCOUNTS).map(async ({ name, email, role, password }) => ({
      name,
      email,
      role,
      passwordHash: await hashPassword(password),
    })),
  );
  await prisma.staff.createMany({ data });
}

function account(name: string, role: Role, password: string): Account {
  return { name, email: `${name.toLowerCase()}@clinic.example`, role, password };
}
