import { setContextProvider } from '@indelible/core';
import { tryGetScope } from './audit-context.js';
import { withoutAudit } from './without-audit.js';

setContextProvider({
  current: () => tryGetScope()?.context(),
  without: (audit, fn, options) => withoutAudit(fn, { ...options, audit }),
});
