/** Splits at commas that are outside quoted strings and outside angle brackets; empty elements are dropped. */
export function splitList(value: string): string[] {
  if (!value.includes(',')) {
    const only = value.trim();
    return only === '' ? [] : [only];
  }
  const elements: string[] = [];
  let start = 0;
  let isQuoted = false;
  let isInAngles = false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (isQuoted) {
      if (code === 92) i++;
      else if (code === 34) isQuoted = false;
    } else if (code === 34) isQuoted = true;
    else if (code === 60) isInAngles = true;
    else if (code === 62) isInAngles = false;
    else if (code === 44 && !isInAngles) {
      push(elements, value.slice(start, i));
      start = i + 1;
    }
  }
  push(elements, value.slice(start));
  return elements;
}

function push(elements: string[], raw: string): void {
  const element = raw.trim();
  if (element !== '') elements.push(element);
}
