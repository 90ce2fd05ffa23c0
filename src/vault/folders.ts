/** Folder inside the data folder. */
export const SECRETS_FOLDER = 'secrets';
/** Folder inside that of the secrets: the keys that messages are sealed to. */
export const KEYRING_FOLDER = 'voicemail';
