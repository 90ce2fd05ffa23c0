import pdfmake from 'pdfmake';
import roboto from 'pdfmake/fonts/Roboto.js';
import type { ReportPage } from '../../core/audit/report/index.ts';

/** The page as a PDF, A4 across, with the head of each table on every sheet and sheets numbered. */
export async function pdfOf(page: ReportPage, facts: readonly (readonly [string, string])[]): Promise<Buffer> {
  pdfmake.setFonts(roboto);
  // A report names files and addresses in its text only: nothing but the letters is ever read for it.
  pdfmake.setUrlAccessPolicy(() => false);
  pdfmake.setLocalAccessPolicy((path) => Object.values(roboto.Roboto).includes(path));
  return pdfmake
    .createPdf({
      info: { title: page.title },
      pageSize: 'A4',
      pageOrientation: 'landscape',
      pageMargins: [36, 40, 36, 44],
      defaultStyle: { font: 'Roboto', fontSize: 9, lineHeight: 1.15 },
      footer: (sheet, sheets) => ({
        columns: [page.title, { text: `${sheet} of ${sheets}`, alignment: 'right' }],
        margin: [36, 14, 36, 0],
        fontSize: 8,
        color: '#555',
      }),
      content: [
        { text: page.title, fontSize: 18, bold: true, margin: [0, 0, 0, 4] },
        { text: page.note, margin: [0, 0, 0, 8] },
        { table: { body: facts.map(([name, value]) => [{ text: name, color: '#555' }, value]) }, layout: 'noBorders' },
        ...page.sections.flatMap(({ heading, note, head, rows }) => [
          { text: heading, fontSize: 12, bold: true, margin: [0, 14, 0, 3], headlineLevel: 1 },
          ...(note === '' ? [] : [{ text: note, margin: [0, 0, 0, 3] }]),
          rows.length === 0
            ? { text: 'None.' }
            : {
                table: {
                  headerRows: 1,
                  dontBreakRows: true,
                  widths: widths(head, rows),
                  body: [head.map((title) => ({ text: title, bold: true })), ...rows.map((row) => row.map(cell))],
                },
                layout: 'lightHorizontalLines',
              },
        ]),
      ],
      // A heading does not stay behind at the foot of a sheet.
      pageBreakBefore: ({ headlineLevel }, sheet) =>
        headlineLevel === 1 && sheet.getFollowingNodesOnPage().length === 0,
    })
    .getBuffer();
}

/** A column of long texts takes what is left of the line. */
function widths(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return head.map((_, column) => (rows.some((row) => (row[column] ?? '').length > 40) ? '*' : 'auto'));
}

/** Times and ids stay on one line. */
function cell(text: string): { readonly text: string; readonly noWrap: boolean } {
  return { text, noWrap: text.length <= 20 };
}
