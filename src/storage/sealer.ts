/** Seals text that names a caller or a patient; given by whoever holds the key. */
export interface Sealer {
  seal(text: string): string;
  /** null when it was sealed with another key, or was altered. */
  open(sealed: string): string | null;
}

/** For a store opened without the key: nothing sealed can be read, and nothing that needs sealing can be written. */
export const noKey: Sealer = {
  seal: () => {
    throw new TypeError('this store was opened without the key that seals callers');
  },
  open: () => null,
};
