import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Resources } from '../../../infra/cloudformation.ts';
import { template } from '../../../infra/template.ts';
import { runs } from '../../fuzz/runs.ts';
import { deployable, LONELY_VPC, propertiesOf } from './stacks.ts';

/** Letters that make collisions: words of the stack's own, and hyphens wherever they may stand. */
const word = fc.constantFrom(
  'prod',
  'eu',
  'carts',
  'job',
  'fleet',
  'alerts',
  'maintain',
  'dead-letters',
  'notify-slack',
);
const name = (longest: number) =>
  fc
    .array(word, { minLength: 1, maxLength: 4 })
    .chain((words) => fc.constantFrom(words.join('-'), `${words.join('-')}-`, words.join('--')))
    .map((text) => text.slice(0, longest));
const stage = name(20);

interface Stack {
  readonly stage: string;
  readonly instances: readonly { readonly id: string; readonly hosts: readonly string[] }[];
}

/** Ids and hosts are unique in a configuration; between stages they are not. */
const stack: fc.Arbitrary<Stack> = fc
  .uniqueArray(fc.record({ id: name(40), hosts: fc.uniqueArray(name(20), { minLength: 1, maxLength: 2 }) }), {
    minLength: 1,
    maxLength: 4,
    selector: ({ id }) => id,
  })
  .chain((instances) => fc.record({ stage, instances: fc.constant(instances) }))
  .map(({ stage: one, instances }) => {
    const seen = new Set<string>();
    const withHosts = instances.map(({ id, hosts }) => ({
      id,
      hosts: hosts.filter((host) => isHost(host) && !seen.has(host) && seen.add(host)),
    }));
    return { stage: one, instances: withHosts.filter(({ hosts }) => hosts.length > 0) };
  })
  .filter(({ instances }) => instances.length > 0);

const isHost = (host: string) => !host.endsWith('-');

function resourcesOf({ stage: of, instances }: Stack): Resources {
  const lines = instances.map(({ id, hosts }) => {
    const nodes = hosts.map((host) => `"redis://${host}"`).join(', ');
    return `  - { id: ${id}, nodes: [${nodes}], memoryLimit: 1GiB, windows: [] }`;
  });
  const yaml = ['notifications: { slack: { webhook: ssm:/offpeak/slack } }', 'instances:', ...lines].join('\n');
  return template(deployable(yaml, of), LONELY_VPC).Resources;
}

/** What AWS knows by a name in a whole account and region: `type name`. */
const NAMES = ['AlarmName', 'DashboardName', 'TopicName', 'QueueName', 'Name', 'RoleName', 'TableName', 'FunctionName'];

function namesOf(resources: Resources): readonly string[] {
  return Object.values(resources).flatMap((resource) =>
    NAMES.flatMap((key) => {
      const given = propertiesOf(resource)[key];
      return typeof given === 'string' ? [`${resource.Type} ${given}`] : [];
    }),
  );
}

/** One metric of one node or job, as alarms read it. */
function seriesOf(resources: Resources): readonly string[] {
  const found: string[] = [];
  JSON.stringify(resources, (key, value) => {
    if (key === 'Dimensions') found.push(JSON.stringify(value));
    return value;
  });
  return found.filter((dimensions) => dimensions.includes('"Stage"'));
}

test('F18: no two stages share a name, and no two things of one stage do', () => {
  fc.assert(
    fc.property(stack, stack, (one, other) => {
      const [mine, theirs] = [resourcesOf(one), resourcesOf(other)];
      const own = namesOf(mine);
      expect(new Set(own).size).toBe(own.length);
      if (one.stage === other.stage) return;
      const taken = new Set([...namesOf(theirs), ...seriesOf(theirs)]);
      expect([...own, ...seriesOf(mine)].filter((each) => taken.has(each))).toEqual([]);
    }),
    { numRuns: runs(0.2) },
  );
});

test('F18: eu-carts of the stage prod is not carts of prod-eu, and a node is not an instance', () => {
  const alarms = (each: Stack) =>
    namesOf(resourcesOf(each)).filter((text) => text.startsWith('AWS::CloudWatch::Alarm'));
  const prod = alarms({ stage: 'prod', instances: [{ id: 'eu-carts', hosts: ['a'] }] });
  const prodEu = alarms({ stage: 'prod-eu', instances: [{ id: 'carts', hosts: ['a'] }] });
  expect(prod.filter((each) => prodEu.includes(each))).toEqual([]);
  const both = alarms({
    stage: 'prod',
    instances: [
      { id: 'a', hosts: ['b-c', 'd'] },
      { id: 'a-b', hosts: ['c', 'e'] },
    ],
  });
  expect(new Set(both).size).toBe(both.length);
});

test("F18: a stage's topic takes alarms of that stage alone", () => {
  const policy = resourcesOf({ stage: 'prod', instances: [{ id: 'carts', hosts: ['a'] }] }).AlertTopicPolicy;
  const pattern = /alarm:([^"]+)"/.exec(JSON.stringify(policy))?.[1] ?? '';
  const isTaken = (each: string) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(each);
  const alarmsOf = (of: string) =>
    namesOf(resourcesOf({ stage: of, instances: [{ id: 'carts', hosts: ['a', 'b'] }] }))
      .filter((text) => text.startsWith('AWS::CloudWatch::Alarm'))
      .map((text) => text.split(' ')[1] ?? '');
  expect(alarmsOf('prod').filter((each) => !isTaken(each))).toEqual([]);
  expect(alarmsOf('prod-eu').filter(isTaken)).toEqual([]);
});
