import { test } from 'vitest';
import { aNodeFacts, anInquiry, answerTo, expectAnswer } from '../../../support/audit.ts';
import { anInstance } from '../../../support/builders.ts';

const password = { source: 'env', name: 'REDIS_PASSWORD' } as const;
const plain = { id: '10.0.3.17:6379', host: '10.0.3.17', port: 6379, tls: false };
const local = { id: '127.0.0.1:6379', host: '127.0.0.1', port: 6379, tls: false };
const signedIn = anInstance({ credentials: { username: 'offpeak', password } });
const { rights } = anInquiry();

test.each<[string, string, RegExp, Parameters<typeof aNodeFacts>[0]]>([
  ['rights', 'fine', /the user offpeak may do all/, {}],
  [
    'rights',
    'warning',
    /\+memory\|purge \(purges\).*ACL SETUSER offpeak \+memory\|purge$/,
    { inquiry: { rights: { ...rights, 'memory|purge': false } } },
  ],
  [
    'rights',
    'warning',
    /\+config\|get \(defrags\), \+config\|set/,
    { observation: { refused: ['config|get'] }, defragSupport: 'refused' },
  ],
  [
    'rights',
    'fine',
    /may do all/,
    {
      observation: { refused: ['config|get'] },
      instance: anInstance({ defrag: { ...anInstance().defrag, enabled: false } }),
    },
  ],
  ['rights', 'unknown', /ACL DRYRUN/, { inquiry: { rights: {} } }],
  ['excess-rights', 'not-asked', /no user of its own/, {}],
  ['excess-rights', 'fine', /may not delete/, { instance: signedIn }],
  [
    'excess-rights',
    'advice',
    /FLUSHALL.*-@all/,
    { instance: signedIn, inquiry: { rights: { ...rights, flushall: true } } },
  ],
  ['encryption', 'fine', /rediss/, {}],
  ['encryption', 'not-asked', /does not leave/, { node: local }],
  ['encryption', 'advice', /not encrypted/, { node: plain }],
  ['encryption', 'warning', /the password crosses.*rediss:\/\/10\.0\.3\.17:6379/, { node: plain, instance: signedIn }],
  [
    'encryption',
    'fine',
    /accepts/,
    { node: plain, instance: anInstance({ credentials: { password, unencrypted: 'accepted' } }) },
  ],
  ['open-access', 'fine', /protected-mode is yes/, {}],
  ['open-access', 'critical', /anyone who reaches it/, { settings: { bind: '* -::*', 'protected-mode': 'no' } }],
  ['open-access', 'fine', /bind is 127/, { settings: { 'protected-mode': 'no' } }],
  ['open-access', 'not-asked', /signs in/, { instance: signedIn }],
  ['open-access', 'unknown', /CONFIG GET/, { inquiry: { settings: undefined as never } }],
  ['latency', 'fine', /half were answered within 0\.3 ms, 99 % within 0\.4 ms/, {}],
  ['latency', 'warning', /within 80 ms/, { inquiry: { waits: [80, 80, 90] } }],
  ['latency', 'unknown', /no PING/, { inquiry: { waits: [] } }],
])('%s: %s, %s', (rule, kind, text, over) => expectAnswer(answerTo(rule, aNodeFacts(over)), kind, text));
