/** Digits in SIP INFO: application/dtmf-relay (`Signal=5`, `Duration=160`) and application/dtmf (`5`). */
export interface InfoDigit {
  readonly digit: string;
  readonly durationSamples: number;
}

const DEFAULT_MS = 250;
/** Event codes 10 to 15 are written as numbers by some phones. */
const BY_CODE = '0123456789*#ABCD';

/** undefined for any other body. */
export function readInfoDigit(contentType: string, body: string): InfoDigit | undefined {
  const [type = ''] = contentType.toLowerCase().split(';');
  switch (type.trim()) {
    case 'application/dtmf-relay': {
      const signal = /^signal\s*=\s*([0-9a-d*#]{1,2})\s*$/im.exec(body)?.[1];
      const durationMs = Number(/^duration\s*=\s*(\d{1,5})\s*$/im.exec(body)?.[1] ?? DEFAULT_MS);
      return signal === undefined ? undefined : press(signal, durationMs);
    }
    case 'application/dtmf':
      return /^\s*([0-9a-d*#]{1,2})\s*$/i.test(body) ? press(body.trim(), DEFAULT_MS) : undefined;
    default:
      return undefined;
  }
}

function press(signal: string, durationMs: number): InfoDigit | undefined {
  const digit = signal.length === 1 ? signal.toUpperCase() : BY_CODE[Number(signal)];
  return digit === undefined ? undefined : { digit, durationSamples: durationMs * 8 };
}
