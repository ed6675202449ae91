export { createTeller, type Teller } from './create-teller.js';
export { type Outcome, playStory, type Scene, type Story } from './play-story.js';
export { readSqliteLog } from './read-sqlite-log.js';
export { tellEvent } from './tell-event.js';
