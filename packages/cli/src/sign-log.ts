import { type MadeCheckpoint, makeCheckpoint, type NoteSigner, verifierKey } from '@indelible/core';
import type { CommandCall } from './command.js';
import type { OpenLog } from './open-log.js';
import { getSigner } from './signing-key.js';
import { UsageError } from './usage-error.js';

/** A checkpoint of what a log is now, and the key that verifies it. */
export interface SignedLog {
  readonly checkpoint: MadeCheckpoint;
  /** As a line of a policy takes it. */
  readonly verifierKey: string;
}

/** Hashes a log again and signs it. @param name the log; undefined: the only one there is */
export async function signLog(call: CommandCall, log: OpenLog, name: string | undefined): Promise<SignedLog> {
  const signer: NoteSigner = getSigner(call);
  const chosen = name ?? (await onlyLog(log));
  const checkpoint = await makeCheckpoint(log.store, chosen, {
    signer,
    keys: log.keys,
    keyedFrom: call.values.whole('keyed-from', 0),
    onEntries: (entries) => {
      call.signal.throwIfAborted();
      call.terminal.progress(`hashing: ${(entries.at(-1)?.index ?? 0) + 1} entries`);
    },
  });
  if (checkpoint === null) throw new UsageError(`there is no entry in the log ${chosen}`);
  return { checkpoint, verifierKey: verifierKey(signer, chosen) };
}

async function onlyLog({ store }: OpenLog): Promise<string> {
  const logs = (await store.logs()).map(({ log }) => log);
  const [first] = logs;
  if (first === undefined) throw new UsageError('there is no log in the database');
  if (logs.length > 1) throw new UsageError(`there are ${logs.length} logs: name one with --log`);
  return first;
}
