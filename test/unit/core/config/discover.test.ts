import { describe, expect, test } from 'vitest';
import { configOf, problemsOf } from './build.ts';

const file = (discover: string) => `instances:\n  - id: carts\n    discover: ${discover}\n`;

describe('discover: elasticache, memorydb', () => {
  test('tags have one value or several, ids wildcards, and the region is its own', () => {
    const [instance] = configOf(
      file('{ elasticache: { tags: { offpeak: "on", team: [a, b] }, groups: ["sessions-*"], region: eu-central-1 } }'),
    ).instances;
    expect(instance).toMatchObject({
      nodes: [],
      discover: {
        elasticache: { tags: { offpeak: ['on'], team: ['a', 'b'] }, groups: ['sessions-*'], region: 'eu-central-1' },
      },
    });
  });

  test.each([
    ['{ elasticache: {} }', 'discover.elasticache', 'has neither `tags` nor `groups`'],
    ['{ memorydb: { region: eu-west-1 } }', 'discover.memorydb', 'has neither `tags` nor `groups`'],
    ['{ elasticache: { tags: { a: "1" } }, memorydb: { tags: { a: "1" } } }', 'discover', 'several of its keys'],
    ['{ memorydb: { tags: { offpeak: on } } }', undefined, undefined],
    ['{ memorydb: { tags: { offpeak: true } } }', 'discover.memorydb.tags', 'a tag whose value is not text'],
    ['{ memorydb: { tags: { offpeak: [] } } }', 'discover.memorydb.tags', 'a tag whose value is not text'],
    ['{ memorydb: { tags: {} } }', 'discover.memorydb.tags', 'has no tags'],
    ['{ memorydb: { tags: [a] } }', 'discover.memorydb.tags', 'is not a mapping of tags'],
    ['{ memorydb: { groups: [] } }', 'discover.memorydb.groups', ''],
    ['{ memorydb: { groups: ["a.b"] } }', 'discover.memorydb.groups[0]', ''],
    ['{ memorydb: { groups: [a], region: Frankfurt } }', 'discover.memorydb.region', ''],
    ['{ memorydb: { group: a } }', 'discover.memorydb.group', ''],
  ])('%s', (discover, path, message) => {
    const problems = problemsOf(file(discover));
    if (path === undefined) return expect(problems).toEqual([]);
    expect(problems[0]).toMatchObject({ path: `instances[0].${path}`, message: expect.stringContaining(message) });
  });
});
