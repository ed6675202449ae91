import type { Finding } from './finding.js';

/** What a verification did not look at, and why. */
export interface NotChecked {
  /**
   * `interrupted`: stopped by its signal; `duplicates`: the log is too large; `anchor`, `witnesses`: the policy has none; `later`,
   * `links`, `time`, `truth`, `others`: what no bundle can show.
   */
  readonly what:
    | 'interrupted'
    | 'duplicates'
    | 'anchor'
    | 'witnesses'
    | 'later'
    | 'log'
    | 'links'
    | 'time'
    | 'truth';
  readonly detail: string;
}

/**
 * `valid`: everything that the policy asks for holds. `invalid`: at least one finding. `incomplete`: no finding, but it was not
 * checked to the end.
 */
export interface Verdict {
  readonly result: 'valid' | 'invalid' | 'incomplete';
  /** What the file is. */
  readonly kind: 'bundle' | 'event' | 'consistency' | 'unknown';
  /** What the checkpoint states, or null where none could be believed. */
  readonly checkpoint: {
    readonly origin: string;
    readonly size: number;
    /** In hex. */
    readonly root: string;
    /** The names of the trusted keys that signed it. */
    readonly signers: readonly string[];
    readonly witnesses: readonly { readonly name: string; readonly time: string }[];
  } | null;
  /** Entries that were read. */
  readonly entries: number;
  /** The sizes of checkpoints of the auditor that the log was found to continue. */
  readonly anchors: readonly number[];
  /** Of a single event: its place, and its body. */
  readonly event: { readonly index: number; readonly body: string } | null;
  readonly findings: readonly Finding[];
  /** True where there are more findings than are listed. */
  readonly truncated: boolean;
  readonly notChecked: readonly NotChecked[];
}

const MAX_FINDINGS = 1_000;

/** Collects findings up to a limit, so that a bundle in which nothing is right does not fill the memory. */
export class Findings {
  readonly #list: Finding[] = [];
  #count = 0;

  add(finding: Finding): void {
    this.#count++;
    if (this.#list.length < MAX_FINDINGS) this.#list.push(finding);
  }

  get count(): number {
    return this.#count;
  }

  get truncated(): boolean {
    return this.#count > this.#list.length;
  }

  /** Those of the whole first, then by index. */
  sorted(): readonly Finding[] {
    return this.#list.toSorted((one, other) => (one.index ?? -1) - (other.index ?? -1));
  }
}

export function resultOf(findings: Findings, isIncomplete: boolean): Verdict['result'] {
  if (findings.count > 0) return 'invalid';
  return isIncomplete ? 'incomplete' : 'valid';
}

/** What stays open however well everything fits. */
export function alwaysUnchecked(hasQuorum: boolean, hasAnchor: boolean): readonly NotChecked[] {
  const list: NotChecked[] = [];
  if (!hasAnchor) {
    const detail =
      'the policy holds no checkpoint that was kept elsewhere: whoever has the signing key could have rewritten the log before he signed';
    list.push({ what: 'anchor', detail });
  }
  if (!hasQuorum) {
    const detail =
      'the policy asks for no witness: whoever has the signing key could show others another log';
    list.push({ what: 'witnesses', detail });
  }
  list.push(
    { what: 'later', detail: 'events that were recorded or sealed after the checkpoint are not in it' },
    {
      what: 'links',
      detail: 'the keyed chain: only whoever has the secret can follow it, with `indelible verify`',
    },
    {
      what: 'time',
      detail: 'times are what the log says; a witness confirms when it saw the checkpoint at the latest',
    },
    { what: 'truth', detail: 'that what was recorded is true, and that everything was recorded' },
  );
  return list;
}
