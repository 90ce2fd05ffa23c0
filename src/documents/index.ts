export { compileDocuments } from './compile.ts';
export type { DocumentFile, DocumentKind } from './document-file.ts';
export { documentSchemas } from './json-schema.ts';
export { LiveDocuments, type LiveDocumentsParts, type StartResult } from './live.ts';
export { compileFiles, loadDocuments, type LoadOptions, type LoadResult } from './load.ts';
export { type DocumentsOptions, documentsOptions } from './options.ts';
export { type DocumentProblem, showProblem } from './problem.ts';
export { rosterWindow } from './roster-window.ts';
