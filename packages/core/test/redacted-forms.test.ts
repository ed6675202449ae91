import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../src/redactor.js';
import { readTraits } from '../src/text-traits.js';
import { redactText } from './redacted.js';

const LETTERS = 'aZ3bY4cX5dW6eV7fU8gT9hS1iR2jQ3kP4lO5mN6nM7oL8pK9';
/** Put together here, so that nobody who searches for lost tokens finds these. */
const TOKENS = [
  ...['ghp', 'gho', 'ghu', 'ghs', 'ghr'].map((prefix) => `${prefix}_${LETTERS.slice(0, 36)}`),
  `github_${'pat'}_${LETTERS.slice(0, 22)}_${LETTERS}`,
  `gl${'pat'}-${LETTERS.slice(0, 10)}_-${LETTERS.slice(0, 8)}`,
  `npm_${LETTERS.slice(0, 36)}`,
  ...['sk_live', 'rk_live', 'sk_test'].map((prefix) => `${prefix}_${LETTERS.slice(0, 24)}`),
  ...['a', 'b', 'e', 'o', 'p', 'r', 's'].map((kind) => `xox${kind}-123456789012-${LETTERS.slice(0, 24)}`),
  `AI${'za'}Sy${LETTERS.slice(0, 12)}_-${LETTERS.slice(0, 19)}`,
];
const KEY_ID = `AK${'IA'}IOSFODNN7EXAMPLE`;
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

describe('tokens of well-known vendors', () => {
  test.each(TOKENS)('%s is masked in any text', (token) => {
    expect(redactText(token)).toBe('[masked]');
    expect(redactText(`deployed with ${token}, then "${token}" again`)).toBe(
      'deployed with [masked], then "[masked]" again',
    );
    expect(createRedactor().identifier('resource', 'id', token)).toBe('[masked]');
    expect(redactText(token, { detectValues: false })).toBe(token);
  });

  test.each([
    'npm_config_registry',
    'npm_lifecycle_event and npm_package_version',
    'ghp_short',
    'highp_precision_float',
    'task_test_1 and disk_live_status',
    'xoxo-from-ada',
    'AIzawa',
    `x${TOKENS[0]}`,
    'the latest_version of combat_log',
    'format-2025-11-21',
  ])('%s is no token', (text) => {
    expect(redactText(text)).toBe(text);
  });

  test('the secret of an AWS key is masked beside its id, which says who acted and stays', () => {
    expect(redactText(`${KEY_ID} ${SECRET}`)).toBe(`${KEY_ID} [masked]`);
    expect(redactText(`${KEY_ID}:${SECRET}\n`)).toBe(`${KEY_ID}:[masked]\n`);
    expect(redactText(`session ${KEY_ID.replace('K', 'S')} ${SECRET}${SECRET}${SECRET}==`)).toBe(
      `session ${KEY_ID.replace('K', 'S')} [masked]`,
    );
    expect(redactText(`assumed by ${KEY_ID}`)).toBe(`assumed by ${KEY_ID}`);
    const commit = `${KEY_ID} built 356a192b7913b04c54574d18c28d46e6395428ab of /srv/applications/production/current/releases`;
    expect(redactText(commit)).toBe(commit);
    expect(redactText(`no AKIA, ${SECRET}`)).toBe(`no AKIA, ${SECRET}`);
  });
});

describe('options in a command line', () => {
  test.each([
    ['deploy --password hunter2 now', 'deploy --password [masked] now'],
    ['deploy -password hunter2', 'deploy -password [masked]'],
    ['deploy --api-key  "a b" --verbose', 'deploy --api-key  "[masked]" --verbose'],
    ["deploy --token 'a b' --verbose", "deploy --token '[masked]' --verbose"],
    ['sh -c "deploy --password hunter2"', 'sh -c "deploy --password [masked]"'],
    ['"deploy --token \\"a b\\" x"', '"deploy --token \\"[masked]\\" x"'],
    ['--token "a b', '--token "[masked]'],
    ['docker login -u ada -p hunter2 reg.example', 'docker login -u ada -p [masked] reg.example'],
    ['mongosh --username ada -p hunter2', 'mongosh --username ada -p [masked]'],
    ['mongosh -p hunter2 -u ada', 'mongosh -p [masked] -u ada'],
    ['sshpass -p hunter2 ssh host', 'sshpass -p [masked] ssh host'],
    ['mysqldump -uroot -phunter2 db', 'mysqldump -uroot -p[masked] db'],
    ["/usr/bin/mysql -p'x y' db", "/usr/bin/mysql -p'[masked]' db"],
    ['curl -u ada:hunter2 https://x', 'curl -u ada:[masked] https://x'],
    ['curl --user "ada:hun ter" https://x', 'curl --user "ada:[masked]" https://x'],
  ])('%s is masked', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  test.each([
    'deploy --password --verbose',
    'deploy --password',
    'docker run -u 1000:1000 -p 8080:80 -p 127.0.0.1:53:53/udp image',
    'ssh -p 2222 ada@host',
    'ps -u root -p 4711',
    'sudo -u www mkdir -p releases/current',
    'mkdir -p /srv/app',
    'find . -user ada -print',
    'a - b -- c --',
    'minus -5 degrees, well-known, e-mail',
    'the password -- as they call it',
    'the mysql --protocol tcp',
  ])('%s stays', (text) => {
    expect(redactText(text)).toBe(text);
  });

  test('costs a sentence about such an option no more than a word', () => {
    expect(redactText('call it with --token to see more')).toBe('call it with --token [masked] see more');
  });
});

describe('rows in SQL', () => {
  const into = (columns: string, rows: string) => `INSERT INTO users (${columns}) VALUES ${rows}`;

  test.each([
    [into('name, password', "('ada', 'x')"), into('name, password', "('ada', '[masked]')")],
    [
      into('`id`, "apiKey", [pin]', "(1, E'a''b\\'c', 1234), (2, NULL, ?), (3, $1, DEFAULT)"),
      into('`id`, "apiKey", [pin]', '(1, [masked], [masked]), (2, NULL, ?), (3, $1, DEFAULT)'),
    ],
    [
      into('password, note', "(crypt('x', gen_salt('bf', 8)), 'a, (b'), ('it''s', ')')"),
      into('password, note', "([masked], 'a, (b'), ('[masked]', ')')"),
    ],
    [
      into('pin, note', "('a (pin) values (1)', 'b (pin) values (2)')"),
      into('pin, note', "('[masked]', 'b (pin) values (2)')"),
    ],
    [into('name, password', "('ada', 'hun"), into('name, password', "('ada', '[masked]")],
    [
      'insert into u(password)\nvalues\n  ("x")\n, ("y") on duplicate key update n = values(n)',
      'insert into u(password)\nvalues\n  ("[masked]")\n, ("[masked]") on duplicate key update n = values(n)',
    ],
    [
      `${into('pin', "('1')")}; ${into('n, pin', "(1, '2')")}`,
      `${into('pin', "('[masked]')")}; ${into('n, pin', "(1, '[masked]')")}`,
    ],
  ])('%s', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  test('a secret behind a value that looks like a name and its value is masked', () => {
    expect(redactText(into('note, password', "('the token: x', 'hunter2')"))).not.toContain('hunter2');
  });

  test.each([
    into('name, password_updated_at', "('ada', '2025-01-01')"),
    into('name', "('ada'), ('bob')"),
    "INSERT INTO users VALUES ('ada', 'x')",
    'the values (a, b) of the password (as set)',
    'f(password) sets values (x)'.replace('sets ', 'has '),
  ])('%s stays', (text) => {
    expect(redactText(text)).toBe(text);
  });
});

describe('parts of a form', () => {
  const part = (name: string, value: string, rest = '') =>
    `--X\r\nContent-Disposition: form-data; name=${name}${rest}\r\n\r\n${value}\r\n`;

  test('are masked up to the boundary by their name', () => {
    for (const name of ['"password"', '"user[password]"', 'password']) {
      const body = `${part('"user"', 'ada')}${part(name, 'hun\r\nter2\r\n-x')}${part('"role"', 'nurse')}--X--\r\n`;
      expect(redactText(body)).toBe(
        `${part('"user"', 'ada')}${part(name, '[masked]')}${part('"role"', 'nurse')}--X--\r\n`,
      );
    }
    const typed = (value: string) => `${part('"pin"', value, '\r\nContent-Type: text/plain')}--X--`;
    expect(redactText(typed('1234'))).toBe(typed('[masked]'));
  });

  test('are masked where the body was cut, or escaped as in JSON', () => {
    expect(redactText(part('"password"', 'hunter2').trimEnd())).toBe(
      part('"password"', '[masked]').trimEnd(),
    );
    const log = `body "${JSON.stringify(part('"password"', 'hunter2') + part('"a"', 'b')).slice(1, -1)}"`;
    expect(redactText(log)).toBe(log.replace('hunter2', '[masked]'));
  });

  test('stay where the name is no secret, and a name elsewhere is a name', () => {
    const body = part('"comment"', 'no secret here');
    expect(redactText(body)).toBe(body);
    const markup = '<input name="password">\n\nhelp';
    expect(redactText(markup)).toBe(markup);
    expect(redactText('name=Ada&x=1', { fields: ['name'] })).toBe('name=[masked]&x=1');
  });
});

describe('blocks as in YAML', () => {
  test.each([
    [
      'a block scalar',
      'db:\n  password: |\n    hunter2\n\n    more\n  port: 5',
      'db:\n  password: |\n    [masked]\n  port: 5',
    ],
    [
      'a folded one',
      'private_key: >-  # pem\n  a\n  b\nnext: 1',
      'private_key: >-  # pem\n  [masked]\nnext: 1',
    ],
    ['a list', 'tokens:\n  - a\n  - b\nuser: x', 'tokens:\n  [masked]\nuser: x'],
    ['a list that is not indented', 'tokens:\n- a\n- b\nuser: x', 'tokens:\n[masked]\nuser: x'],
    [
      'a list in a list',
      'all:\n  - tokens:\n      - a\n      - b\n    user: x\n',
      'all:\n  - tokens:\n      [masked]\n    user: x\n',
    ],
    [
      'a mapping',
      'credentials:\r\n  user: ada\r\n  x: y\r\nport: 1',
      'credentials:\r\n  [masked]\r\nport: 1',
    ],
    ['a quoted key', '"password": |\n  hunter2\nport: 1', '"password": |\n  [masked]\nport: 1'],
    ['a key without a value', 'password:\nuser: ada', 'password:\n[masked]'],
    ['a line', 'user: ada\npassword: hunter2 # old\nport: 1', 'user: ada\npassword: [masked]\nport: 1'],
  ])('%s is masked to its end', (_, text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  test('what follows a name at the end of a line is one line, unless it has the form of a block', () => {
    const stack = 'Error: bad token:\n    at parse (a.js:1:2)\n    at run (b.js:3:4)';
    expect(redactText(stack)).toBe('Error: bad token:\n    [masked]\n    at run (b.js:3:4)');
  });
});

describe('a sentence', () => {
  // "password: correct horse battery staple" has the same form: it can not be told, and a secret weighs more.
  test('that has a secret name before a colon is masked up to a comma or the end of its line', () => {
    expect(redactText('his token: he asked for one, and got it')).toBe('his token: [masked], and got it');
  });

  test.each([
    'she forgot her password and asked for a new token',
    'order 12345 (see values) was paid - thanks',
    'status: open',
    'at 10:30 the secret meeting began',
  ])('%s stays', (text) => {
    expect(redactText(text)).toBe(text);
  });
});

test('what audits mostly hold is passed at the first look', () => {
  for (const text of [
    'completed',
    'The patient (55) was seen today.',
    '0198c7a0-1234-7abc-8def-0123456789ab',
    'b0b0e0a0-abcd-4bcd-9def-aabbccddeeff',
    'patient_updated_by_system',
    '2025-11-21',
    'well-known e-mail',
    'ADA',
  ]) {
    expect(readTraits(text), text).toBe(0);
  }
});

test('a secret never passes in a row of SQL, an option, a part or a block, whatever stands around it', () => {
  const secret = 'XyZZy93plugh';
  const around = fc.string({ maxLength: 12 }).map((text) => text.replace(/['"`\\()[\]{}\r\n]/g, ' '));
  const form = (name: string, value: string) =>
    `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  fc.assert(
    fc.property(around, around, (before, after) => {
      for (const text of [
        `${before}\nINSERT INTO t (a, password, b) VALUES ('${before}', '${secret}', '${after}')${after}`,
        `${before} --password ${secret} ${after}`,
        `${form('a', before)}${form('password', `${after}${secret}`)}${form('b', after)}--B--`,
        `a: b\ntokens:\n  - ${after.trim()}x\n  - ${secret}\nb: c`,
      ]) {
        expect(JSON.stringify(redactText(text))).not.toContain(secret);
      }
    }),
    { numRuns: 400 },
  );
});

describe('hostile texts of 64 KiB', () => {
  test.each([
    ['prefixes of tokens', 'ghp_'.repeat(16_000)],
    ['prefixes of Slack', 'xoxb-'.repeat(13_000)],
    ['ids of AWS', `${KEY_ID} `.repeat(3_000)],
    ['one AWS run', `${KEY_ID} ${'aA1'.repeat(21_000)}`],
    ['options', '-p '.repeat(21_000)],
    ['options with users', '-u a -p '.repeat(8_000)],
    ['glued options', `mysql ${'-p" '.repeat(16_000)}`],
    ['mysql with dots', ` -p ${'mysql.'.repeat(11_000)}`],
    ['quotes', '--token "'.repeat(7_000)],
    ['escaped quotes', '-p \\"'.repeat(13_000)],
    ['blanks', `-p${' '.repeat(65_000)}-`],
    ['brackets', `values ${'( '.repeat(32_000)}`],
    ['values', '(pin) values ('.repeat(4_600)],
    ['values in no list', ')values('.repeat(8_000)],
    ['rows', `(pin) values ${'(1),'.repeat(16_000)}`],
    ['open strings', `(pin) values ${"('".repeat(32_000)}`],
    ['parts', 'form-data; name="pin"'.repeat(3_000)],
    ['empty parts', 'form-data; name="pin"\n\n[masked]'.repeat(2_000)],
    ['scalars', 'pin: |#"'.repeat(8_000)],
    ['scalars with lines', 'pin: |\n'.repeat(9_000)],
    ['lists', 'pins:\n- '.repeat(7_000)],
    ['a long list', `pins:\n${'- x\n'.repeat(16_000)}`],
    ['blank lines', `pins:\n- x${'\n'.repeat(65_000)}`],
  ])('%s are searched in linear time', (_, text) => {
    const redactor = createRedactor();
    const started = process.cpuUsage();
    redactor.redact({ text, [text]: 1 }, 'details');
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1_500);
  });
});
