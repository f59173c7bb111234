import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The secret of `awsEnv`. */
const SECRET = 'testing';

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();

/**
 * What is wrong with the signature of a request, if anything. Written from AWS' page on Signature Version 4, not from the library that signs, so
 * that the two can disagree.
 */
export function signatureProblem({ method, url = '/', headers }: IncomingMessage, body: Buffer): string | undefined {
  const [, key = '', scope = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  if (key !== SECRET) return 'the security token included in the request is invalid';
  const signed = names.split(';');
  if (!['host', 'x-amz-date'].every((name) => signed.includes(name))) return 'host and x-amz-date must be signed';
  const { 'x-amz-date': date = '' } = headers;
  const time = String(date);
  const [day = '', region = '', service = '', end = ''] = scope.split('/');
  if (!time.startsWith(day) || end !== 'aws4_request') return `the scope ${scope} is not that of ${time}`;
  const [path = '', query = ''] = url.split('?');
  const canonical = [
    ...[method, path, query],
    ...signed.map((name) => `${name}:${String(headers[name]).trim()}`),
    ...['', names, sha256(body)],
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const signing = [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${SECRET}`, day));
  return hmac(signing, text).toString('hex') === signature ? undefined : 'the signature does not match';
}
