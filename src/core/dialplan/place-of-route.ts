import type { Route } from './model.ts';

/** Dotted place of a route: "routes.7011", "routes.0@north" for one that only a site has. */
export function placeOfRoute({ number, site }: Pick<Route, 'number'> & { readonly site?: string | undefined }): string {
  return site === undefined ? `routes.${number}` : `routes.${number}@${site}`;
}
