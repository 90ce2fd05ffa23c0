/**
 * play_and_get_digits min max tries timeoutMs terminators prompt invalidPrompt variable regexp digitTimeoutMs
 *
 * The first digit ends the prompt. Digits pressed before the application begins do not count: an acceptance must answer the question that was asked.
 * The app is told of them all the same, and knows whether it asks the same question again.
 */
import type { Log } from '../../log.ts';
import type { Application, ApplicationCall, Channel } from '../channel.ts';
import { NO_RESPONSE, splitArguments, wholeNumber } from './application.ts';
import { setPlayedVariables, unplayable } from './playback.ts';
import type { PromptFinder } from './prompts.ts';

interface Question {
  readonly min: number;
  readonly max: number;
  readonly tries: number;
  readonly timeoutMs: number;
  readonly digitTimeoutMs: number;
  readonly terminators: string;
  readonly prompt: string;
  readonly invalidPrompt: string;
  readonly variable: string;
  readonly pattern: RegExp;
}

/** What it speaks with. */
interface Voice {
  readonly prompts: PromptFinder;
  readonly log: Log;
}

type Answer = { readonly digits: string; readonly terminator: string };

const MAX_DIGITS = 128;
const HOUR_MS = 3_600_000;

export function playAndGetDigits(prompts: PromptFinder, log: Log): Application {
  return async (call) => {
    const question = readQuestion(call.arguments);
    if (typeof question === 'string') return `-ERR ${question}`;
    return ask(call, question, { prompts, log });
  };
}

async function ask({ channel, signal }: ApplicationCall, question: Question, voice: Voice): Promise<string> {
  for (const name of [question.variable, `${question.variable}_invalid`, 'read_terminator_used'])
    channel.variables.delete(name);
  for (let turn = 0; turn < question.tries && !signal.aborted; turn++) {
    const answer = await askOnce(channel, signal, question, voice);
    if (answer === undefined) return 'FILE NOT FOUND';
    if (answer.terminator !== '') channel.variables.set('read_terminator_used', answer.terminator);
    if (isValid(answer.digits, question)) {
      channel.variables.set(question.variable, answer.digits);
      return NO_RESPONSE;
    }
    if (answer.digits !== '') channel.variables.set(`${question.variable}_invalid`, answer.digits);
    if (!signal.aborted) await playInvalid(channel, signal, question, voice);
  }
  return NO_RESPONSE;
}

/** undefined when the prompt cannot be played. */
async function askOnce(
  channel: Channel,
  signal: AbortSignal,
  question: Question,
  voice: Voice,
): Promise<Answer | undefined> {
  const collector = new Collector(channel, question);
  const stop = () => collector.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const isPlayed = await playUntil(channel, question.prompt, collector.begun, voice);
    if (!isPlayed) return undefined;
    collector.promptEnded();
    return await collector.answer;
  } finally {
    signal.removeEventListener('abort', stop);
    collector.close();
  }
}

async function playInvalid(channel: Channel, signal: AbortSignal, question: Question, voice: Voice): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await playUntil(channel, question.invalidPrompt, aborted, voice);
}

async function playUntil(
  channel: Channel,
  prompt: string,
  until: Promise<void>,
  { prompts, log }: Voice,
): Promise<boolean> {
  const found = await prompts.find(prompt, channel.variables.get('playback_delimiter') ?? '', channel);
  if (channel.state === 'hungUp') return false;
  if (found.kind === 'refused') return isRefused(channel, log, found.reason);
  const running = channel.play(found.items);
  void until.then(() => running.stop());
  const result = await running.done;
  if (result.kind === 'refused') return isRefused(channel, log, result.reason);
  setPlayedVariables(channel, result, found.items);
  return true;
}

function isRefused(channel: Channel, log: Log, reason: string): false {
  unplayable(channel, log, reason);
  return false;
}

/** Gathers digits from the first moment; the waiting times begin when the prompt has ended. */
class Collector {
  /** Resolves with the first digit or when stopped. */
  readonly begun: Promise<void>;
  readonly answer: Promise<Answer>;
  readonly #question: Question;
  readonly #unlisten: () => void;
  #begin: () => void = () => {};
  #finish: (answer: Answer) => void = () => {};
  #digits = '';
  #hasPromptEnded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(channel: Channel, question: Question) {
    this.#question = question;
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    this.answer = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#unlisten = channel.onDigit((digit) => this.#hear(digit));
  }

  promptEnded(): void {
    this.#hasPromptEnded = true;
    this.#wait(this.#digits === '' ? this.#question.timeoutMs : this.#question.digitTimeoutMs);
  }

  stop(): void {
    this.#end('');
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#unlisten();
  }

  #hear(digit: string): void {
    if (this.#question.terminators.includes(digit)) return this.#end(digit);
    this.#digits += digit;
    this.#begin();
    if (this.#digits.length >= this.#question.max) return this.#end('');
    if (this.#hasPromptEnded) this.#wait(this.#question.digitTimeoutMs);
  }

  #wait(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(''), waitMs);
  }

  #end(terminator: string): void {
    this.close();
    this.#begin();
    this.#finish({ digits: this.#digits, terminator });
  }
}

function isValid(digits: string, question: Question): boolean {
  return digits.length >= question.min && question.pattern.test(digits);
}

function readQuestion(text: string): Question | string {
  const [min, max, tries, timeout, terminators, prompt, invalidPrompt, variable, regexp, digitTimeout] =
    splitArguments(text);
  if (prompt === undefined || invalidPrompt === undefined || variable === undefined) {
    return 'play_and_get_digits needs min max tries timeout terminators prompt invalidPrompt variable';
  }
  const timeoutMs = wholeNumber(timeout, 5000, { min: 0, max: HOUR_MS });
  const minDigits = wholeNumber(min, 0, { min: 0, max: MAX_DIGITS });
  let pattern: RegExp;
  try {
    pattern = regexp === undefined || regexp === '' ? /^/ : new RegExp(regexp);
  } catch {
    return `${regexp} is not a regular expression`;
  }
  return {
    min: minDigits,
    max: wholeNumber(max, MAX_DIGITS, { min: Math.max(1, minDigits), max: MAX_DIGITS }),
    tries: wholeNumber(tries, 1, { min: 1, max: 100 }),
    timeoutMs,
    digitTimeoutMs: wholeNumber(digitTimeout, timeoutMs, { min: 0, max: HOUR_MS }),
    terminators: terminators === undefined || terminators === 'none' ? '' : terminators,
    prompt,
    invalidPrompt,
    variable,
    pattern,
  };
}
