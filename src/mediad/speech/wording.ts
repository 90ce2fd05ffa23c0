/** How FreeSWITCH's clients name what is to be spoken. */

export interface Wording {
  readonly engine: string | undefined;
  readonly voice: string | undefined;
  readonly text: string;
}

/** Arguments of `speak` and of `tts://`: `engine|voice|text`, `voice|text` or `text`; what is missing stands in tts_engine and tts_voice. */
export function readWording(text: string, variables: ReadonlyMap<string, string>): Wording {
  const [, engine, voice, words = text] = /^(?:([^|]*)\|)?(?:([^|]*)\|)(.*)$/s.exec(text) ?? [];
  return filled(engine, voice, words, variables);
}

/** Behind `say:`: `engine:voice:text`, or all of it is the text. */
export function readSayWording(text: string, variables: ReadonlyMap<string, string>): Wording {
  const [, engine, voice, words = text] = /^([\w-]{1,32}):([\w-]{1,32}):(.+)$/s.exec(text) ?? [];
  return filled(engine, voice, words, variables);
}

function filled(
  engine: string | undefined,
  voice: string | undefined,
  text: string,
  variables: ReadonlyMap<string, string>,
): Wording {
  return { engine: engine || variables.get('tts_engine'), voice: voice || variables.get('tts_voice'), text };
}
