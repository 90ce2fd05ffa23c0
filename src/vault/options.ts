/** Folder inside the data folder. */
export const SECRETS_FOLDER = 'secrets';
