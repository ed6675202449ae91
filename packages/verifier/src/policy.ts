import { type Checkpoint, tryDecode, tryParseKey, type VerifierKey } from './note.js';

/** Whom the auditor trusts, and what he expects. Nothing of it ever comes from what is verified. */
export interface Policy {
  readonly keys: readonly VerifierKey[];
  /** The log that it has to be; empty: the one that the key is named after. */
  readonly origins: readonly string[];
  /** The log has at least so many entries. */
  readonly minimalSize: number;
  /** Checkpoints that the auditor holds: what he trusts as it stands. */
  readonly expected: readonly Checkpoint[];
  /** Files or directories of signed checkpoints that were kept elsewhere. */
  readonly anchors: readonly string[];
  /** True if these witnesses are enough. */
  isQuorum(witnesses: readonly VerifierKey[]): boolean;
  /** True if it asks for witnesses at all. */
  readonly hasQuorum: boolean;
}

/** What is wrong with the policy: nothing can be verified by it. */
export class PolicyError extends Error {}

type Test = (witnesses: readonly VerifierKey[]) => boolean;

/**
 * Reads a policy: lines of words. `log`, `witness`, `group` and `quorum` are those of https://c2sp.org/tlog-policy; `origin`,
 * `size`, `checkpoint` and `anchor` are this verifier's.
 *
 * @throws PolicyError that names the line
 */
export function parsePolicy(text: string): Policy {
  const reader = new PolicyReader();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text))
    throw new PolicyError('the policy has control characters');
  text.split('\n').forEach((line, at) => {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]?.startsWith('#') === true) return;
    try {
      reader.read(words);
    } catch (error) {
      throw new PolicyError(
        `line ${at + 1} of the policy: ${error instanceof Error ? error.message : error}`,
      );
    }
  });
  return reader.done();
}

class PolicyReader {
  readonly #keys: VerifierKey[] = [];
  readonly #origins: string[] = [];
  readonly #expected: Checkpoint[] = [];
  readonly #anchors: string[] = [];
  /** Witnesses and groups, which share their names. */
  readonly #named = new Map<string, Test>();
  readonly #members = new Set<string>();
  #size: number | null = null;
  #quorum: Test | 'none' | null = null;

  read([kind, ...words]: readonly string[]): void {
    switch (kind) {
      case 'log':
        this.#addKey(words, 'log');
        return;
      case 'witness':
        this.#addWitness(words);
        return;
      case 'group':
        this.#addGroup(words);
        return;
      case 'quorum':
        if (this.#quorum !== null) throw new Error('there is one quorum');
        this.#quorum = only(words, 'quorum') === 'none' ? 'none' : this.#get(only(words, 'quorum'));
        return;
      case 'origin':
        this.#origins.push(only(words, 'origin'));
        return;
      case 'size':
        if (this.#size !== null) throw new Error('there is one size');
        this.#size = wholeNumber(only(words, 'size'));
        return;
      case 'checkpoint':
        this.#expected.push(expectedCheckpoint(words));
        return;
      case 'anchor':
        this.#anchors.push(words.join(' '));
        return;
      default:
        throw new Error(`'${kind}' is not known`);
    }
  }

  done(): Policy {
    if (!this.#keys.some(({ kind }) => kind === 'log'))
      throw new PolicyError('the policy trusts no log: add a line `log <key>`');
    const witnessed = this.#keys.some(({ kind }) => kind === 'witness');
    if (witnessed && this.#quorum === null) throw new PolicyError('the policy names witnesses and no quorum');
    const quorum = this.#quorum;
    return {
      keys: this.#keys,
      origins: this.#origins,
      minimalSize: this.#size ?? 0,
      expected: this.#expected,
      anchors: this.#anchors,
      hasQuorum: typeof quorum === 'function',
      isQuorum: (witnesses) => (typeof quorum === 'function' ? quorum(witnesses) : true),
    };
  }

  #addKey([text = '', ...further]: readonly string[], kind: VerifierKey['kind']): VerifierKey {
    const key = tryParseKey(text);
    if (key?.kind !== kind) throw new Error(`\`${text}\` is no verifier key of a ${kind}`);
    // A URL, which nobody asks here.
    if (further.length > 1) throw new Error('there are too many words');
    if (this.#keys.some((other) => other.publicKey.equals(key.publicKey) && other.kind === kind)) {
      throw new Error('this key was named before');
    }
    this.#keys.push(key);
    return key;
  }

  #addWitness([name = '', ...words]: readonly string[]): void {
    const key = this.#addKey(words, 'witness');
    this.#name(name, (witnesses) => witnesses.includes(key));
  }

  #addGroup([name = '', threshold = '', ...members]: readonly string[]): void {
    const tests = members.map((member) => {
      if (this.#members.has(member)) throw new Error(`${member} is a member of a group already`);
      this.#members.add(member);
      return this.#get(member);
    });
    const least = threshold === 'all' ? tests.length : threshold === 'any' ? 1 : wholeNumber(threshold);
    if (least < 1 || least > tests.length) throw new Error('a group needs from 1 to all of its members');
    this.#name(name, (witnesses) => tests.filter((test) => test(witnesses)).length >= least);
  }

  #name(name: string, test: Test): void {
    if (name === '' || name === 'none' || this.#named.has(name))
      throw new Error(`'${name}' can not be named`);
    this.#named.set(name, test);
  }

  #get(name: string): Test {
    const test = this.#named.get(name);
    if (test === undefined) throw new Error(`'${name}' is no witness and no group of a line before`);
    return test;
  }
}

function only(words: readonly string[], what: string): string {
  const [word] = words;
  if (word === undefined || words.length > 1) throw new Error(`${what} takes one word`);
  return word;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new Error(`'${text}' is no whole number`);
  return value;
}

/** `checkpoint <origin> <size> <root in base64>` */
function expectedCheckpoint(words: readonly string[]): Checkpoint {
  const [origin = '', size = '', encoded = ''] = words;
  const root = tryDecode(encoded);
  if (words.length !== 3 || root?.length !== 32)
    throw new Error('checkpoint takes an origin, a size and a root');
  return { origin, size: wholeNumber(size), root };
}
