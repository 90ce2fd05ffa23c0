export { compileDocuments } from './compile.ts';
export { type DocumentFile, type DocumentKind, versionOf } from './document-file.ts';
export { DocumentReader } from './document-reader.ts';
export { type FeedDocuments, FeedReader } from './feed-reader.ts';
export { documentSchemas } from './json-schema.ts';
export { LiveDocuments } from './live.ts';
export type { LiveDocumentsParts, StartResult } from './live-parts.ts';
export {
  compileFiles,
  compileGoodFiles,
  loadDocuments,
  readFolders,
  type LoadOptions,
  type LoadResult,
} from './load.ts';
export { type DocumentsOptions, documentsOptions } from './options.ts';
export { type DocumentProblem, showProblem } from './problem.ts';
export { faultsBrought, problemOf, provingDocuments } from './prove.ts';
export { rosterWindow } from './roster-window.ts';
