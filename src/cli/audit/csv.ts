/** RFC 4180, with what a spreadsheet would take for a formula turned into text. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map((cell) => (cell === null ? '' : quoted(harmless(String(cell))))).join(',')}\r\n`;
}

/** A cell that begins like a formula gets an apostrophe in front, which spreadsheets do not show. */
function harmless(text: string): string {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return /[",\r\n;\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
