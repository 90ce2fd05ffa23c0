/** Reads "Cards Fellow: Ames" by "{as}: {who}". Without a match the whole title is the name. */
export function readTitle(title: string, form: string): { readonly who: string; readonly as: string } {
  const first = form.startsWith('{who}') ? 'who' : 'as';
  const parts = /^\{(?:who|as)\}(.+)\{(?:who|as)\}$/.exec(form);
  const separator = parts?.[1];
  const at = separator === undefined ? -1 : title.indexOf(separator);
  if (separator === undefined || at < 0) return { who: title.trim(), as: '' };
  const [before, after] = [title.slice(0, at).trim(), title.slice(at + separator.length).trim()];
  return first === 'who' ? { who: before, as: after } : { who: after, as: before };
}

export function isTitleForm(form: string): boolean {
  return form === '{who}' || /^(\{who\}[^{}]+\{as\}|\{as\}[^{}]+\{who\})$/.test(form);
}
