/** Names that say secret wherever they stand, also glued to others: `userpassword`, `dbPasswordHash`. */
const ANYWHERE = [
  'password',
  'passwd',
  'passwort',
  'passphrase',
  'passcode',
  'apikey',
  'apisecret',
  'secretid',
  'secretkey',
  'secretaccesskey',
  'privatekey',
  'accesstoken',
  'refreshtoken',
  'cardnumber',
  'creditcard',
  'debitcard',
  'socialsecurity',
  'connectionstring',
];

/** Names that say secret where they end a word: `accesstoken`, `sessionCookie`, but not `tokenizer` or `secretary`. */
const AT_WORD_END = ['secret', 'token', 'cookie', 'pwd', 'credential'];

/** Names that say secret as words of their own: `pinCode`, but not `spinner`. */
const AS_WORDS = [
  'authorization',
  'authkey',
  'authcode',
  'accesskey',
  'accesscode',
  'accountkey',
  'encryptionkey',
  'hmackey',
  'masterkey',
  'servicekey',
  'sharedkey',
  'signingkey',
  'sshkey',
  'backupcode',
  'logincode',
  'mfacode',
  'onetimecode',
  'recoverycode',
  'resetcode',
  'securitycode',
  'smscode',
  'twofactorcode',
  'verificationcode',
  'securityanswer',
  'magiclink',
  'resetlink',
  'reseturl',
  'cardnum',
  'cardno',
  'ccnumber',
  'pan',
  'ssn',
  'cvv',
  'cvc',
  'csc',
  'pin',
  'otp',
  'totp',
  'jwt',
  'bearer',
  'csrf',
  'xsrf',
  'dsn',
];

/** `pass` alone says too little: `boardingPass`. */
const WHOLE_NAMES: ReadonlySet<string> = new Set(
  ['', 'user', 'db', 'database', 'admin', 'root', 'login', 'auth', 'smtp', 'mail', 'ftp', 'ssh', 'redis'].map(
    (prefix) => `${prefix}pass`,
  ),
);

/** A name that ends in one of these speaks about the secret and does not hold it: `passwordPolicyVersion`, `tokenExpiresAt`. */
const ABOUT = new Set(
  (
    'age algorithm alg at attempt attempts balance banner brand budget category changed consent cost count counter ' +
    'created date days disabled domain enabled endpoint error errors expired expires expiration expiry format id ids ' +
    'issuer kind last length less level limit limits max method min minutes name names path policies policy ' +
    'preference preferences price provider quota remaining required requested rotation rule rules scope scopes score ' +
    'seconds size state status strength time timestamp ttl type types updated usage used valid verified version'
  ).split(' '),
);

const BOUNDARY =
  /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])|[^\p{L}\p{N}]+/u;

/**
 * What a field's name says of its value: nothing; a secret unless it is true, false or null; the same, but numbers are
 * counts (`maxTokens`); or that the application named it, so that whatever it holds is one.
 */
export type NameVerdict = 'open' | 'secret' | 'counts' | 'named';

/** A name in one case style, `XApiKey` and `x-api-key` alike: `xapikey`. */
export function squashName(name: string): string {
  return splitName(name).join('');
}

/**
 * Judges field names by the built-in deny list and the application's own.
 *
 * A name of the list counts in any case style and with anything before or behind it (`userPassword`, `password_hash`,
 * `x-api-key`), unless the last word says that the field is only about the secret (`passwordPolicyVersion`,
 * `tokenExpiresAt`, `accessKeyId`). `fields` are names as a whole, in any case style.
 */
export function createNameJudge(
  fields: readonly string[],
  allow: readonly string[],
): (name: string) => NameVerdict {
  const named = new Set(fields.map(squashName));
  const allowed = new Set(allow.map(squashName));
  const keep = (term: string) => !allowed.has(term);
  const anywhere = ANYWHERE.filter(keep);
  const atWordEnd = AT_WORD_END.filter(keep);
  const asWords = AS_WORDS.filter(keep);

  return (name) => {
    const words = splitName(name);
    const squashed = words.join('');
    if (named.has(squashed)) return 'named';
    if (squashed.length < 3 || allowed.has(squashed)) return 'open';
    if (WHOLE_NAMES.has(squashed)) return keep('pass') ? 'secret' : 'open';
    let verdict: NameVerdict = 'open';
    for (const [terms, atStart, atEnd] of [
      [anywhere, false, false],
      [atWordEnd, false, true],
      [asWords, true, true],
    ] as const) {
      for (const term of terms) {
        const found = findTerm(squashed, words, term, atStart, atEnd);
        if (found === 'secret') return 'secret';
        if (found === 'counts') verdict = 'counts';
      }
    }
    return verdict;
  };
}

function findTerm(
  squashed: string,
  words: readonly string[],
  term: string,
  atStart: boolean,
  atEnd: boolean,
): NameVerdict {
  for (let from = squashed.indexOf(term); from !== -1; from = squashed.indexOf(term, from + 1)) {
    let end = from + term.length;
    let plural = false;
    if (atStart && !isBoundary(words, from)) continue;
    if (atEnd && !isBoundary(words, end)) {
      if (squashed[end] !== 's' || !isBoundary(words, end + 1)) continue;
      end++;
      plural = true;
    }
    if (isAbout(squashed, words, end)) continue;
    return plural && term === 'token' ? 'counts' : 'secret';
  }
  return 'open';
}

function isBoundary(words: readonly string[], position: number): boolean {
  let start = 0;
  for (const word of words) {
    if (start === position) return true;
    start += word.length;
  }
  return start === position;
}

/** True if what stands behind the term makes the name one that is only about the secret. */
function isAbout(squashed: string, words: readonly string[], end: number): boolean {
  if (end === squashed.length) return false;
  if (ABOUT.has(squashed.slice(end))) return true;
  let start = squashed.length;
  for (let index = words.length - 1; index >= 0; index--) {
    const word = words[index] as string;
    start -= word.length;
    if (start < end) return false;
    if (!/^\p{N}+$/u.test(word)) return ABOUT.has(word);
  }
  return false;
}

function splitName(name: string): string[] {
  // Look-alikes in other forms of Unicode (full-width letters, accents) are the same name.
  const plain = isAscii(name) ? name : name.normalize('NFKD').replace(/[\p{M}\p{Cf}]/gu, '');
  return plain
    .split(BOUNDARY)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false;
  return true;
}
