import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { SecretReference } from '../../config/address.ts';
import type { InstanceConfig } from '../../config/schema.ts';
import { NodeFailure } from '../../ports/node-session.ts';
import { keysOf } from './hints.ts';

/** The texts that the config's `tls` refers to. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

type Pem = 'ca' | 'cert' | 'key';
type Typed = Parameters<typeof keysOf>[0];

const WANTED: Readonly<Record<Pem, { readonly form: RegExp; readonly what: string }>> = {
  ca: { form: /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/, what: 'a certificate' },
  cert: { form: /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/, what: 'a certificate' },
  key: { form: /-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----/, what: 'a private key' },
};

/**
 * With line breaks where a variable holds `\n` in place of them. Node ignores a `ca` that is none, and the failure then would blame the server.
 *
 * @throws {NodeFailure} of the kind `config-problem`: which key of the config or option of the command line, and what is wrong; never a part of a text
 */
export function usableMaterial(material: TlsMaterial, tls: InstanceConfig['tls'], typed: Typed = {}): TlsMaterial {
  const keys = keysOf(typed);
  const entries = Object.entries(material).map(([name, text]: [string, string]): [string, string] => {
    if (!isPem(name)) return [name, text];
    const pem = text.includes('\n') ? text : text.replaceAll('\\n', '\n');
    const problem = problemOf(pem, name);
    if (problem !== undefined) throw refused(`${keys[name]}${placeOf(tls?.[name])} ${problem}`);
    return [name, pem];
  });
  return Object.fromEntries(entries);
}

/** What a variable or a parameter is called; a file has its path in the reference. */
function placeOf(reference: SecretReference | undefined): string {
  if (reference === undefined) return '';
  const { source } = reference;
  const name = source === 'file' ? reference.path : source === 'secretsmanager' ? reference.id : reference.name;
  return ` (${source}:${name})`;
}

function isPem(name: string): name is Pem {
  return name in WANTED;
}

function problemOf(pem: string, name: Pem): string | undefined {
  const { form, what } = WANTED[name];
  if (form.test(pem))
    return name === 'key' || isCertificate(pem) ? undefined : `holds a damaged certificate: store the PEM anew`;
  const [, other] = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(pem) ?? [];
  if (other !== undefined)
    return `holds ${/KEY/.test(other) ? 'a key' : other.toLowerCase()}, and should hold ${what} in PEM`;
  if (/^LS0tLS1CRUdJTi/.test(pem)) return `holds base64 of a PEM: store the PEM itself (-----BEGIN …)`;
  if (/^[^\n]{1,1024}$/.test(pem) && /^(?:~|\.{0,2}\/|[A-Za-z]:\\)|\.(?:pem|crt|cer|key|der)$/i.test(pem.trim())) {
    return `holds a path, and should hold ${what} in PEM. To read a file, write tls.${name}: file:<path>`;
  }
  return `holds no PEM, and should hold ${what} (-----BEGIN …). openssl converts DER: openssl x509 -inform der`;
}

/** The first one; the others of a chain or a bundle cost time, and are seldom the damaged ones. */
function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

/** What Node found wrong with material of the right form, as it made the connection: before anything was sent. */
export function asMaterialFailure(error: unknown, material: TlsMaterial & Typed): NodeFailure | undefined {
  const { code = '' } = (error ?? {}) as { code?: string };
  if (!/^ERR_(?:OSSL|CRYPTO|MISSING_PASSPHRASE|TLS_INVALID)/.test(code) || material.key === undefined) return undefined;
  return refused(keyProblem(material, code));
}

function keyProblem({ cert, key = '', passphrase, ...typed }: TlsMaterial & Typed, code: string): string {
  const keys = keysOf(typed);
  try {
    const opened = createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) });
    const fits = cert === undefined || new X509Certificate(cert).checkPrivateKey(opened);
    return fits
      ? `${keys.cert} and ${keys.key} cannot be used: ${code}`
      : `${keys.key} does not belong to ${keys.cert}: name the key that the certificate was made with`;
  } catch {
    if (!/ENCRYPTED/.test(key)) return `${keys.key} holds a damaged private key: store the PEM anew`;
    if (passphrase !== undefined) return 'tls.passphrase does not open tls.key';
    return `${keys.key} is encrypted: name its passphrase ${typed.isAddressed ? 'in a config, ' : ''}under tls.passphrase`;
  }
}

function refused(message: string): NodeFailure {
  return new NodeFailure('config-problem', message);
}
