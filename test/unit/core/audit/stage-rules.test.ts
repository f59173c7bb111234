import { test } from 'vitest';
import { GIB, MIB } from '../../../../core/config/units.ts';
import { aNodeFacts, answerTo, expectAnswer, stageAnswerTo } from '../../../support/audit.ts';
import { anInstance, anObservation } from '../../../support/builders.ts';

const { thresholds } = anInstance();
const { fragmentationWarning, rssCritical } = thresholds;
const closed = { open: false, nextOpening: undefined } as const;
const withThresholds = (over: Partial<typeof thresholds>, memoryLimit = GIB) => ({
  instance: anInstance({ memoryLimit, thresholds: { ...thresholds, ...over } }),
});

test.each<[string, string, RegExp, Parameters<typeof aNodeFacts>[0]]>([
  [
    'window-traffic',
    'fine',
    /3 % of a processor now, with 12 commands a second; maxMainThreadCpu is 40 %, and a window is open/,
    {},
  ],
  ['window-traffic', 'warning', /62 %.*inside of a window.*maxMainThreadCpu: 65%/, { load: { cpu: 62 } }],
  ['window-traffic', 'unknown', /inside of one/, { load: { cpu: 62 }, window: closed }],
  ['window-traffic', 'fine', /no window is open/, { window: closed }],
  ['window-traffic', 'unknown', /could not be measured/, { load: {} }],
  ['window-traffic', 'not-asked', /no window/, { instance: anInstance({ windows: [] }) }],
  ['alarms', 'fine', /RSS near the limit/, {}],
  [
    'alarms',
    'warning',
    /above a ratio of 5/,
    withThresholds({ fragmentationWarning: { ...fragmentationWarning, ratio: 5 } }),
  ],
  [
    'alarms',
    'warning',
    /from ever going off/,
    withThresholds({ fragmentationWarning: { ...fragmentationWarning, floor: 100 * MIB } }, 100 * MIB),
  ],
  [
    'alarms',
    'warning',
    /at 99 % of the limit/,
    withThresholds({ rssCritical: { ...rssCritical, percentOfLimit: 99 } }),
  ],
  ['alarms', 'not-asked', /config/, { isConfigured: false }],
])('%s: %s, %s', (rule, kind, text, over) => expectAnswer(answerTo(rule, aNodeFacts(over)), kind, text));

const INSTANCES = 'instances: [{ id: a, url: "redis://a.example" }]\n';
const withReplicas = (connectedReplicas: number) => [
  aNodeFacts({ observation: { replication: { ...anObservation().replication, connectedReplicas } } }),
];

test.each<[string, string, RegExp, string, Parameters<typeof stageAnswerTo>[2]]>([
  ['notifications', 'warning', /reach no person/, INSTANCES, {}],
  ['notifications', 'fine', /1 e-mail addresses/, `notifications: { emails: [a@b.example] }\n${INSTANCES}`, {}],
  ['notifications', 'unknown', /https subscribers/, `notifications: { chat: amazon-q }\n${INSTANCES}`, {}],
  ['replicas', 'fine', /as many replicas/, INSTANCES, {}],
  [
    'replicas',
    'warning',
    /2 replicas are connected, and the config has 1 nodes/,
    INSTANCES,
    { nodes: withReplicas(2) },
  ],
  ['replicas', 'unknown', /no node answered/, INSTANCES, { nodes: [] }],
  ['stage-tick', 'fine', /every 5 min/, INSTANCES, {}],
  ['stage-tick', 'advice', /every 1 h/, `schedule: { every: 1h }\n${INSTANCES}`, {}],
  ['discovery', 'not-asked', /names its nodes itself/, INSTANCES, {}],
])('%s: %s, %s', (rule, kind, text, yaml, over) => expectAnswer(stageAnswerTo(rule, yaml, over), kind, text));
