import type { ReportPage, Section } from './model.ts';

/** The page as one HTML file that needs nothing else. `facts` stand on top: site, period, by whom. */
export function htmlOf(page: ReportPage, facts: readonly (readonly [string, string])[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(page.title)}</title>
<style>
body { font: 14px/1.4 sans-serif; color: #111; margin: 2em auto; max-width: 75em; padding: 0 1em }
h1 { font-size: 1.7em; margin: 0 0 .3em } h2 { font-size: 1.2em; margin: 1.6em 0 .3em }
p { max-width: 50em; margin: .3em 0 } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em }
dt { color: #555 } dd { margin: 0 } table { border-collapse: collapse; margin: .5em 0 }
th, td { text-align: left; vertical-align: top; padding: .25em .8em .25em 0; border-bottom: 1px solid #ccc }
th { border-bottom: 2px solid #333 } td.number { text-align: right; font-variant-numeric: tabular-nums }
@media print { body { margin: 0; max-width: none } tr { break-inside: avoid } thead { display: table-header-group } }
</style>
</head>
<body>
<h1>${text(page.title)}</h1>
<p>${text(page.note)}</p>
<dl>${facts.map(([name, value]) => `<dt>${text(name)}</dt><dd>${text(value)}</dd>`).join('')}</dl>
${page.sections.map(section).join('\n')}
</body>
</html>
`;
}

function section({ heading, note, head, rows }: Section): string {
  const top = `<h2>${text(heading)}</h2>${note === '' ? '' : `<p>${text(note)}</p>`}`;
  if (rows.length === 0) return `${top}<p>None.</p>`;
  const lines = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`);
  const titles = head.map((title) => `<th>${text(title)}</th>`).join('');
  return `${top}<table><thead><tr>${titles}</tr></thead><tbody>${lines.join('\n')}</tbody></table>`;
}

function cell(value: string): string {
  return `<td${/^[\d.]+$/.test(value) ? ' class="number"' : ''}>${text(value)}</td>`;
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
