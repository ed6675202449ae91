/**
 * Tokens that begin as their vendor's do: GitHub (`ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`, `github_pat_`), GitLab
 * (`glpat-`), npm (`npm_`), Stripe (`sk_live_`, `rk_live_` and those of test mode), Slack (`xoxb-` and its kin), Google
 * (`AIza`). What comes behind is as long as theirs: a name that only begins so is none.
 */
const VENDOR_TOKEN =
  /(?<![A-Za-z0-9])(?:gh[oprsu]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36,}|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{35,})/g;

const AWS_KEY_ID = /(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])/;
/** The secret of a key has 40 characters, a session's token some hundreds. */
const AWS_SECRET = /(?<![A-Za-z0-9/+])(?:[A-Za-z0-9/+]{40}|[A-Za-z0-9/+]{100,}={0,2})(?![A-Za-z0-9/+=])/g;

/**
 * Replaces the tokens of well-known vendors. The id of an AWS key stays, because it says who acted, but what stands in
 * one text with it and has the form of its secret goes.
 */
export function replaceVendorTokens(text: string, replace: (secret: string) => string): string {
  const out = text.replace(VENDOR_TOKEN, (token) => replace(token));
  if (!AWS_KEY_ID.test(out)) return out;
  return out.replace(AWS_SECRET, (run) => (isMixed(run) ? replace(run) : run));
}

/** A path has no digits or no capitals, a digest no capitals or no small letters. */
function isMixed(run: string): boolean {
  return /[a-z]/.test(run) && /[A-Z]/.test(run) && /[0-9]/.test(run);
}
