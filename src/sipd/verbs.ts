/** Verbs an app can ask for, lower case. */
export const verbs: ReadonlySet<string> = new Set([
  'invite',
  'register',
  'options',
  'message',
  'subscribe',
  'notify',
  'publish',
  'refer',
  'info',
  'bye',
  'ack',
  'cancel',
  'update',
  'prack',
]);

export const recordKinds: ReadonlySet<string> = new Set(['cdr:attempt', 'cdr:start', 'cdr:stop']);
