// Apart from the rest of the folder: its libraries are loaded only where feeds are read or written.
export { type CalendarDuty, type CalendarOf, calendarOf, calendarText, changedLast, dutiesOf } from './calendar-out.ts';
export { type DeclaredFeed, declaredFeeds } from './declared.ts';
export { feedDocument, shiftsIn } from './feed-document.ts';
export { type FeedFinding, lookAtFeed } from './look-at-feed.ts';
