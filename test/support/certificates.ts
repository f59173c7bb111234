import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Disposable {
  readonly folder: string;
  readonly ca: string;
  /** Signed by this authority: `name` as subject and, unless it says otherwise, as DNS name. `days` may be negative. */
  issue(
    name: string,
    options?: { readonly altName?: string; readonly notAfter?: string; readonly notBefore?: string },
  ): Pair;
}

/** A private certificate authority of its own, made by openssl in a scratch folder. */
export function anAuthority(name = 'Test Authority'): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-ca-'));
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', '-subj', `/CN=${name}`);
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(
    join(folder, 'ca.cnf'),
    '[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=any\nunique_subject=no\nx509_extensions=none\ncopy_extensions=copy\n[any]\ncommonName=supplied\n[none]\nbasicConstraints=CA:FALSE\n',
  );
  let count = 0;
  return {
    folder,
    ca: read('ca.pem'),
    issue(subject, { altName = `DNS:${subject}`, notBefore = '20250101000000Z', notAfter = '20990101000000Z' } = {}) {
      const file = `issued-${++count}`;
      const ask = [
        '-keyout',
        `${file}.key`,
        '-out',
        `${file}.csr`,
        '-subj',
        `/CN=${subject}`,
        '-addext',
        `subjectAltName=${altName}`,
      ];
      openssl('req', '-new', ...newKey, ...ask);
      const span = ['-startdate', notBefore, '-enddate', notAfter];
      openssl(
        'ca',
        '-batch',
        '-notext',
        '-config',
        'ca.cnf',
        '-cert',
        'ca.pem',
        '-keyfile',
        'ca.key',
        '-in',
        `${file}.csr`,
        '-out',
        `${file}.pem`,
        ...span,
      );
      return { cert: read(`${file}.pem`), key: read(`${file}.key`) };
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same key, locked with a passphrase. */
export function locked(key: string, passphrase: string): string {
  return execFileSync('openssl', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-passout', `pass:${passphrase}`], {
    input: key,
    stdio: ['pipe', 'pipe', 'ignore'],
  }).toString();
}
