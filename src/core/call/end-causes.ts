/**
 * How calls end: one table. The key is the audit word, the metric label and the log word.
 * Every call is born with `internalError` and earns a better one.
 * SIP statuses: RFC 3261 section 21. Causes: ITU-T Q.850.
 */
export const endCauses = {
  callerHungUp: { sip: 200, q850: 16, fault: 'nobody', says: 'the caller hung up' },
  calleeHungUp: { sip: 200, q850: 16, fault: 'nobody', says: 'the called party hung up' },
  callerCancelled: { sip: 487, q850: 16, fault: 'nobody', says: 'the caller hung up before anybody answered' },
  messageLeft: { sip: 200, q850: 16, fault: 'nobody', says: 'a message was left in voicemail' },
  noMessageLeft: { sip: 200, q850: 16, fault: 'nobody', says: 'voicemail was reached, nothing was recorded' },
  mailboxClosed: { sip: 200, q850: 16, fault: 'nobody', says: 'whoever opened a mailbox was done, or was not let in' },
  callerTold: { sip: 200, q850: 16, fault: 'nobody', says: 'whoever left a message was told what became of it' },
  takenElsewhere: { sip: 487, q850: 26, fault: 'nobody', says: 'what the house called about was settled meanwhile' },
  mailboxFull: { sip: 480, q850: 42, fault: 'callee', says: 'the mailbox was full and nobody else answered' },
  busy: { sip: 486, q850: 17, fault: 'callee', says: 'the called party was busy' },
  declined: { sip: 603, q850: 21, fault: 'callee', says: 'the called party declined' },
  noAnswer: { sip: 480, q850: 19, fault: 'callee', says: 'nobody answered in time' },
  notRegistered: { sip: 480, q850: 20, fault: 'callee', says: 'no phone is registered for the called extension' },
  unreachable: { sip: 480, q850: 27, fault: 'network', says: 'the called phone could not be reached' },
  numberNotInService: { sip: 404, q850: 1, fault: 'caller', says: 'the number dialled is not in the plan' },
  notAllowed: { sip: 403, q850: 21, fault: 'caller', says: 'the plan does not allow this call' },
  planBusy: { sip: 486, q850: 17, fault: 'nobody', says: 'the plan answered busy' },
  planCongested: { sip: 503, q850: 42, fault: 'nobody', says: 'the plan answered that all lines are in use' },
  planNumberChanged: { sip: 410, q850: 22, fault: 'caller', says: 'the number dialled has changed' },
  planDeclined: { sip: 603, q850: 21, fault: 'nobody', says: 'the plan declined the call' },
  planGoodbye: { sip: 480, q850: 16, fault: 'nobody', says: 'the plan ended the call' },
  trunkUnavailable: { sip: 503, q850: 38, fault: 'network', says: 'no trunk could take the call' },
  mediaUnavailable: { sip: 503, q850: 41, fault: 'wardline', says: 'the media server could not take the call' },
  recordingFailed: { sip: 500, q850: 41, fault: 'wardline', says: 'the message could not be recorded' },
  mediaLost: { sip: 500, q850: 31, fault: 'network', says: 'the sound was lost' },
  notAcceptable: { sip: 488, q850: 88, fault: 'caller', says: 'the caller offered no codec we speak' },
  overloaded: { sip: 503, q850: 42, fault: 'wardline', says: 'too many calls at once' },
  notRecordable: { sip: 503, q850: 42, fault: 'wardline', says: 'no disk could take the record of a call' },
  shuttingDown: { sip: 503, q850: 41, fault: 'wardline', says: 'Wardline was shutting down' },
  wardlineRestarted: { sip: 500, q850: 41, fault: 'wardline', says: 'Wardline was restarted during the call' },
  internalError: { sip: 500, q850: 41, fault: 'wardline', says: 'an error inside Wardline ended the call' },
} as const satisfies Record<string, { sip: number; q850: number; fault: Fault; says: string }>;

export type Fault = 'nobody' | 'caller' | 'callee' | 'network' | 'wardline';
export type EndCause = keyof typeof endCauses;
