/** Who this process is to browsers: a key and a certificate of its own, made when first needed and never written down. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { DtlsUnavailable, type Handle, openSsl, type OpenSsl, whatWentWrong } from './openssl.ts';

export interface DtlsIdentity {
  /** DER. */
  readonly certificate: Buffer;
  /** DER of RFC 5915. */
  readonly key: Buffer;
  /** As SDP has it (RFC 8122 5), of SHA-256. */
  readonly fingerprint: string;
}

const DAY_S = 86_400;
/** Nobody looks: the fingerprint counts. But a process may run for long. */
const VALID_DAYS = 3650;
const MBSTRING_ASC = 0x1001;

let identity: DtlsIdentity | undefined;

/** One for all legs of this process. Throws DtlsUnavailable. */
export function ourIdentity(): DtlsIdentity {
  identity ??= newIdentity();
  return identity;
}

export function newIdentity(): DtlsIdentity {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ format: 'der', type: 'sec1' });
  const certificate = selfSigned(openSsl(), key);
  return { certificate, key, fingerprint: fingerprintOf(certificate, 'sha256') };
}

export function fingerprintOf(certificate: Buffer, hash: string): string {
  const digest = createHash(hash).update(certificate).digest('hex').toUpperCase();
  return digest.match(/../g)!.join(':');
}

function selfSigned(ssl: OpenSsl, der: Buffer): Buffer {
  const closing: (() => void)[] = [];
  const kept = (handle: Handle | null, free: (handle: Handle) => void): Handle => {
    if (handle === null) throw new DtlsUnavailable(`no certificate for DTLS: ${whatWentWrong(ssl)}`);
    closing.push(() => free(handle));
    return handle;
  };
  const done = (result: number): void => {
    if (result <= 0) throw new DtlsUnavailable(`no certificate for DTLS: ${whatWentWrong(ssl)}`);
  };
  try {
    const bio = kept(ssl.BIO_new(ssl.BIO_s_mem()), ssl.BIO_free);
    done(ssl.BIO_write(bio, der, der.length));
    const key = kept(ssl.d2i_PrivateKey_bio(bio, null), ssl.EVP_PKEY_free);
    const certificate = kept(ssl.X509_new(), ssl.X509_free);
    done(ssl.X509_set_version(certificate, 2));
    done(ssl.ASN1_INTEGER_set_uint64(ssl.X509_get_serialNumber(certificate), randomBytes(8).readBigUInt64BE() >> 1n));
    ssl.X509_gmtime_adj(ssl.X509_getm_notBefore(certificate), -DAY_S);
    ssl.X509_gmtime_adj(ssl.X509_getm_notAfter(certificate), VALID_DAYS * DAY_S);
    const name = ssl.X509_get_subject_name(certificate);
    done(ssl.X509_NAME_add_entry_by_txt(name, 'CN', MBSTRING_ASC, 'wardline', -1, -1, 0));
    done(ssl.X509_set_issuer_name(certificate, name));
    done(ssl.X509_set_pubkey(certificate, key));
    done(ssl.X509_sign(certificate, key, ssl.EVP_sha256()));
    const out = kept(ssl.BIO_new(ssl.BIO_s_mem()), ssl.BIO_free);
    done(ssl.i2d_X509_bio(out, certificate));
    const bytes = Buffer.alloc(4096);
    return Buffer.from(bytes.subarray(0, ssl.BIO_read(out, bytes, bytes.length)));
  } finally {
    for (const close of closing.reverse()) close();
    ssl.ERR_clear_error();
  }
}
