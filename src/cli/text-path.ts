/** Where the text of the sealed message at `path` lies. */
export function textPath(path: string): string {
  return path.replace(/(\.sealed)?$/, '.text.sealed');
}
