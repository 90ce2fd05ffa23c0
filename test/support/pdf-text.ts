import { inflateSync } from 'node:zlib';

/**
 * What somebody reads on the sheets of a PDF that pdfkit has made: the lines of each, from the top, the words of a line from
 * the left. From its drawing instructions and the tables of its letters (ISO 32000-1 9.4, 9.10.3), so by none of the code
 * that has drawn it. Throws for what it does not know.
 */
export function linesOfPdf(pdf: Buffer): readonly string[] {
  const text = pdf.toString('latin1');
  const objects = new Map(
    [...text.matchAll(/(?:^|\n)(\d+) 0 obj\n([\s\S]*?)\nendobj/g)].map(([, id = '', body = '']) => [id, body]),
  );
  const object = (id: string | undefined) => {
    const found = objects.get(id ?? '');
    if (found === undefined) throw new Error(`the PDF has no object ${id}`);
    return found;
  };
  const stream = (id: string | undefined) => {
    const [head = '', body] = object(id).split(/stream\r?\n/, 2);
    if (body === undefined) throw new Error(`object ${id} is no stream`);
    const bytes = Buffer.from(body.replace(/\r?\nendstream$/, ''), 'latin1');
    return (head.includes('/FlateDecode') ? inflateSync(bytes) : bytes).toString('latin1');
  };
  const reference = (body: string, name: string) => new RegExp(`/${name} \\[?(\\d+) 0 R`).exec(body)?.[1];
  const pages = [...(/\/Kids \[([^\]]*)\]/.exec(text)?.[1] ?? '').matchAll(/(\d+) 0 R/g)].map(([, id]) => id);
  const letters = new Map<string, ReadonlyMap<string, string>>();
  return pages.flatMap((id) => {
    const page = object(id);
    const fonts = /\/Font <<([\s\S]*?)>>/.exec(object(reference(page, 'Resources')))?.[1] ?? '';
    for (const [, name = '', font] of fonts.matchAll(/\/(\w+) (\d+) 0 R/g)) {
      if (!letters.has(name)) letters.set(name, lettersOf(stream(reference(object(font), 'ToUnicode'))));
    }
    return linesOf(stream(reference(page, 'Contents')), letters);
  });
}

/** Which letters each code of two bytes stands for. */
function lettersOf(cmap: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const code = (n: number) => n.toString(16).padStart(4, '0');
  const read = (hex: string) => Buffer.from(hex.trim().replaceAll(' ', ''), 'hex').swap16().toString('utf16le');
  for (const [, from = '', , list = ''] of cmap.matchAll(/<([0-9a-f]{4})> <([0-9a-f]{4})> \[([^\]]*)\]/gi)) {
    [...list.matchAll(/<([0-9a-f ]*)>/gi)].forEach(([, hex = ''], i) =>
      found.set(code(parseInt(from, 16) + i), read(hex)),
    );
  }
  if (found.size === 0) throw new Error('a font of the PDF does not say what its letters are');
  return found;
}

function linesOf(drawn: string, fonts: ReadonlyMap<string, ReadonlyMap<string, string>>): readonly string[] {
  const words: { readonly x: number; readonly y: number; readonly word: string }[] = [];
  for (const [, block = ''] of drawn.matchAll(/\bBT\n([\s\S]*?)\nET\b/g)) {
    const [, x, y] = /1 0 0 1 (\S+) (\S+) Tm/.exec(block) ?? [];
    const font = fonts.get(/\/(\w+) \S+ Tf/.exec(block)?.[1] ?? '');
    if (x === undefined || font === undefined) throw new Error(`text is drawn in a way that is not known: ${block}`);
    const codes = [...block.matchAll(/<([0-9a-f]+)>/gi)].flatMap(
      ([, hex = '']) => hex.toLowerCase().match(/.{4}/g) ?? [],
    );
    words.push({
      x: Number(x),
      y: Math.round(Number(y)),
      word: codes.map((one) => font.get(one) ?? '\ufffd').join(''),
    });
  }
  const heights = [...new Set(words.map(({ y }) => y))].sort((a, b) => b - a);
  return heights.map((height) =>
    words
      .filter(({ y }) => y === height)
      .sort((a, b) => a.x - b.x)
      .map(({ word }) => word.trim())
      .join(' ')
      .replaceAll(/\s+/g, ' '),
  );
}
