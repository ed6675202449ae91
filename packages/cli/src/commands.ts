import type { Command } from './command.js';
import { exportBundleCommand } from './export-bundle-command.js';
import { historyCommand } from './history-command.js';
import { migrateCommand } from './migrate-command.js';
import { consistencyCommand, proofCommand } from './proof-command.js';
import { reconcileCommand } from './reconcile-command.js';
import { relayCommand } from './relay-command.js';
import { sealCommand } from './seal-command.js';
import { showCommand } from './show-command.js';
import { tailCommand } from './tail-command.js';
import { triggersCommand } from './triggers-command.js';
import { verifyCommand } from './verify-command.js';

export const COMMANDS: readonly Command[] = [
  migrateCommand,
  sealCommand,
  relayCommand,
  verifyCommand,
  tailCommand,
  showCommand,
  historyCommand,
  exportBundleCommand,
  proofCommand,
  consistencyCommand,
  triggersCommand,
  reconcileCommand,
];
