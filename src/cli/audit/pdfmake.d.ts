/** pdfmake 0.3.11 ships no typings; this is the part of it that we use. */
declare module 'pdfmake' {
  interface Block {
    readonly [property: string]: unknown;
  }
  interface Document {
    readonly info: { readonly title: string };
    readonly pageSize: string;
    readonly pageOrientation: string;
    readonly pageMargins: readonly number[];
    readonly defaultStyle: Block;
    readonly footer: (sheet: number, sheets: number) => Block;
    readonly content: readonly Block[];
    readonly pageBreakBefore: (
      block: { readonly headlineLevel?: number },
      page: { getFollowingNodesOnPage(): readonly unknown[] },
    ) => boolean;
  }
  type Fonts = Readonly<Record<string, Readonly<Record<string, string>>>>;
  const pdfmake: {
    setFonts(fonts: Fonts): void;
    setUrlAccessPolicy(mayFetch: (url: string) => boolean): void;
    setLocalAccessPolicy(mayRead: (path: string) => boolean): void;
    createPdf(document: Document): { getBuffer(): Promise<Buffer> };
  };
  export default pdfmake;
}

declare module 'pdfmake/fonts/Roboto.js' {
  const fonts: { readonly Roboto: Readonly<Record<string, string>> };
  export default fonts;
}
