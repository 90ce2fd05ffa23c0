/**
 * The OpenSSL that Node itself is made with, called directly: Node has TLS of it, but not DTLS. Loaded when it is first asked
 * for, and only in the signalling thread.
 */
import { createRequire } from 'node:module';

/** There is no DTLS in this process; the message says why. */
export class DtlsUnavailable extends Error {
  readonly code = 'dtlsUnavailable';
}

/** Something of OpenSSL's, by its address. */
export type Handle = bigint;

export interface OpenSsl {
  readonly DTLS_method: () => Handle;
  readonly SSL_CTX_new: (method: Handle) => Handle | null;
  readonly SSL_CTX_free: (context: Handle) => void;
  readonly SSL_CTX_ctrl: (context: Handle, command: number, long: number, pointer: Buffer | null) => number;
  readonly SSL_CTX_set_verify: (context: Handle, mode: number, verify: unknown) => void;
  readonly SSL_CTX_set_cipher_list: (context: Handle, ciphers: string) => number;
  /** 0 is success, unlike everywhere else. */
  readonly SSL_CTX_set_tlsext_use_srtp: (context: Handle, profiles: string) => number;
  readonly SSL_CTX_set_options: (context: Handle, options: number) => number;
  readonly SSL_CTX_use_certificate_ASN1: (context: Handle, bytes: number, der: Buffer) => number;
  readonly SSL_CTX_use_PrivateKey_ASN1: (type: number, context: Handle, der: Buffer, bytes: number) => number;
  readonly SSL_new: (context: Handle) => Handle | null;
  readonly SSL_free: (ssl: Handle) => void;
  readonly SSL_set_bio: (ssl: Handle, input: Handle, output: Handle) => void;
  readonly SSL_ctrl: (ssl: Handle, command: number, long: number, pointer: Buffer | null) => number;
  readonly SSL_set_accept_state: (ssl: Handle) => void;
  readonly SSL_set_connect_state: (ssl: Handle) => void;
  readonly SSL_do_handshake: (ssl: Handle) => number;
  readonly SSL_get_error: (ssl: Handle, result: number) => number;
  readonly SSL_read: (ssl: Handle, into: Buffer, bytes: number) => number;
  readonly SSL_get1_peer_certificate: (ssl: Handle) => Handle | null;
  readonly SSL_get_selected_srtp_profile: (ssl: Handle) => Handle | null;
  readonly SSL_export_keying_material: (
    ssl: Handle,
    into: Buffer,
    bytes: number,
    label: string,
    labelBytes: number,
    context: null,
    contextBytes: number,
    hasContext: number,
  ) => number;
  readonly BIO_s_mem: () => Handle;
  readonly BIO_new: (type: Handle) => Handle | null;
  readonly BIO_free: (bio: Handle) => number;
  readonly BIO_ctrl: (bio: Handle, command: number, long: number, pointer: null) => number;
  readonly BIO_read: (bio: Handle, into: Buffer, bytes: number) => number;
  readonly BIO_write: (bio: Handle, from: Buffer, bytes: number) => number;
  readonly i2d_X509_bio: (bio: Handle, certificate: Handle) => number;
  readonly d2i_PrivateKey_bio: (bio: Handle, into: null) => Handle | null;
  readonly EVP_PKEY_free: (key: Handle) => void;
  readonly EVP_sha256: () => Handle;
  readonly X509_new: () => Handle | null;
  readonly X509_free: (certificate: Handle) => void;
  readonly X509_set_version: (certificate: Handle, version: number) => number;
  readonly X509_get_serialNumber: (certificate: Handle) => Handle;
  readonly ASN1_INTEGER_set_uint64: (integer: Handle, value: bigint) => number;
  readonly X509_getm_notBefore: (certificate: Handle) => Handle;
  readonly X509_getm_notAfter: (certificate: Handle) => Handle;
  readonly X509_gmtime_adj: (time: Handle, seconds: number) => Handle;
  readonly X509_get_subject_name: (certificate: Handle) => Handle;
  readonly X509_set_issuer_name: (certificate: Handle, name: Handle) => number;
  readonly X509_NAME_add_entry_by_txt: (
    name: Handle,
    field: string,
    type: number,
    value: string,
    bytes: number,
    at: number,
    set: number,
  ) => number;
  readonly X509_set_pubkey: (certificate: Handle, key: Handle) => number;
  readonly X509_sign: (certificate: Handle, key: Handle, hash: Handle) => number;
  readonly ERR_clear_error: () => void;
  readonly ERR_get_error: () => number;
  readonly ERR_reason_error_string: (code: number) => string | null;
  /** Whoever the other side's certificate is from: it is compared with the description, not with an authority. */
  readonly anyCertificate: unknown;
  /** Of an SRTP_PROTECTION_PROFILE. */
  readonly profileName: (profile: Handle) => string;
}

const PROTOTYPES: Readonly<Record<Exclude<keyof OpenSsl, 'anyCertificate' | 'profileName'>, string>> = {
  DTLS_method: 'void *DTLS_method(void)',
  SSL_CTX_new: 'void *SSL_CTX_new(void *method)',
  SSL_CTX_free: 'void SSL_CTX_free(void *context)',
  SSL_CTX_ctrl: 'long SSL_CTX_ctrl(void *context, int command, long value, void *pointer)',
  SSL_CTX_set_verify: 'void SSL_CTX_set_verify(void *context, int mode, void *verify)',
  SSL_CTX_set_cipher_list: 'int SSL_CTX_set_cipher_list(void *context, const char *ciphers)',
  SSL_CTX_set_tlsext_use_srtp: 'int SSL_CTX_set_tlsext_use_srtp(void *context, const char *profiles)',
  SSL_CTX_set_options: 'uint64_t SSL_CTX_set_options(void *context, uint64_t options)',
  SSL_CTX_use_certificate_ASN1: 'int SSL_CTX_use_certificate_ASN1(void *context, int bytes, const uint8_t *der)',
  SSL_CTX_use_PrivateKey_ASN1:
    'int SSL_CTX_use_PrivateKey_ASN1(int type, void *context, const uint8_t *der, long bytes)',
  SSL_new: 'void *SSL_new(void *context)',
  SSL_free: 'void SSL_free(void *ssl)',
  SSL_set_bio: 'void SSL_set_bio(void *ssl, void *input, void *output)',
  SSL_ctrl: 'long SSL_ctrl(void *ssl, int command, long value, _Out_ uint8_t *pointer)',
  SSL_set_accept_state: 'void SSL_set_accept_state(void *ssl)',
  SSL_set_connect_state: 'void SSL_set_connect_state(void *ssl)',
  SSL_do_handshake: 'int SSL_do_handshake(void *ssl)',
  SSL_get_error: 'int SSL_get_error(void *ssl, int result)',
  SSL_read: 'int SSL_read(void *ssl, _Out_ uint8_t *into, int bytes)',
  SSL_get1_peer_certificate: 'void *SSL_get1_peer_certificate(void *ssl)',
  SSL_get_selected_srtp_profile: 'void *SSL_get_selected_srtp_profile(void *ssl)',
  SSL_export_keying_material:
    'int SSL_export_keying_material(void *ssl, _Out_ uint8_t *into, size_t bytes, const char *label, size_t labelBytes, const uint8_t *context, size_t contextBytes, int hasContext)',
  BIO_s_mem: 'void *BIO_s_mem(void)',
  BIO_new: 'void *BIO_new(void *type)',
  BIO_free: 'int BIO_free(void *bio)',
  BIO_ctrl: 'long BIO_ctrl(void *bio, int command, long value, void *pointer)',
  BIO_read: 'int BIO_read(void *bio, _Out_ uint8_t *into, int bytes)',
  BIO_write: 'int BIO_write(void *bio, const uint8_t *from, int bytes)',
  i2d_X509_bio: 'int i2d_X509_bio(void *bio, void *certificate)',
  d2i_PrivateKey_bio: 'void *d2i_PrivateKey_bio(void *bio, void *into)',
  EVP_PKEY_free: 'void EVP_PKEY_free(void *key)',
  EVP_sha256: 'void *EVP_sha256(void)',
  X509_new: 'void *X509_new(void)',
  X509_free: 'void X509_free(void *certificate)',
  X509_set_version: 'int X509_set_version(void *certificate, long version)',
  X509_get_serialNumber: 'void *X509_get_serialNumber(void *certificate)',
  ASN1_INTEGER_set_uint64: 'int ASN1_INTEGER_set_uint64(void *integer, uint64_t value)',
  X509_getm_notBefore: 'void *X509_getm_notBefore(void *certificate)',
  X509_getm_notAfter: 'void *X509_getm_notAfter(void *certificate)',
  X509_gmtime_adj: 'void *X509_gmtime_adj(void *time, long seconds)',
  X509_get_subject_name: 'void *X509_get_subject_name(void *certificate)',
  X509_set_issuer_name: 'int X509_set_issuer_name(void *certificate, void *name)',
  X509_NAME_add_entry_by_txt:
    'int X509_NAME_add_entry_by_txt(void *name, const char *field, int type, const char *value, int bytes, int at, int set)',
  X509_set_pubkey: 'int X509_set_pubkey(void *certificate, void *key)',
  X509_sign: 'int X509_sign(void *certificate, void *key, void *hash)',
  ERR_clear_error: 'void ERR_clear_error(void)',
  ERR_get_error: 'unsigned long ERR_get_error(void)',
  ERR_reason_error_string: 'const char *ERR_reason_error_string(unsigned long code)',
};

let loaded: OpenSsl | undefined;

/** Throws DtlsUnavailable when this Node does not show its OpenSSL. */
export function openSsl(): OpenSsl {
  loaded ??= load();
  return loaded;
}

/** What OpenSSL says was wrong, for the log. Nothing of it may be left behind: Node's own crypto shares the thread's list of errors. */
export function whatWentWrong({ ERR_get_error, ERR_reason_error_string, ERR_clear_error }: OpenSsl): string {
  const code = ERR_get_error();
  const reason = code === 0 ? null : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason ?? 'no reason given';
}

function load(): OpenSsl {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi').default;
    const library = koffi.load(null);
    const functions = Object.entries(PROTOTYPES).map(([name, prototype]) => [name, library.func(prototype)]);
    const verify = koffi.pointer(koffi.proto('int verify(int isVerified, void *store)'));
    const profile = koffi.struct({ name: 'const char *', id: 'unsigned long' });
    return {
      ...(Object.fromEntries(functions) as Omit<OpenSsl, 'anyCertificate' | 'profileName'>),
      anyCertificate: koffi.register(() => 1, verify),
      profileName: (handle) => (koffi.decode(handle, profile) as { name: string }).name,
    };
  } catch (cause) {
    throw new DtlsUnavailable('this Node does not show its OpenSSL, which DTLS needs: use the Node from npm', {
      cause,
    });
  }
}
