import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf, MOST_MESSAGES, messagesOf } from '../../../../core/alerts/digest.ts';
import { type Alert, NODES_A_MESSAGE } from '../../../../core/domain/alert.ts';
import { alertSubject, alertText } from '../../../../core/format/alert-layout.ts';
import { runs } from '../../../fuzz/runs.ts';
import { KINDS, placeOf, stormOf, stormOfKind } from '../../../support/storm.ts';

const divided = (alerts: readonly Alert[]) =>
  messagesOf(alerts.map((alert) => ({ alert }))).map((group) => group.map(({ alert }) => alert));
const digested = (alerts: readonly Alert[]): Alert => {
  const [first, ...more] = alerts;
  if (!first) throw new Error('an alert expected');
  return digestOf([first, ...more], 'prod/digest/1');
};
/** As many as the chat shows. */
const shown = (groups: readonly (readonly Alert[])[]) =>
  groups.reduce((sum, { length }) => sum + 1 + Math.floor(length / NODES_A_MESSAGE), 0);

describe('F11: what happens to many nodes in one tick', () => {
  test.each(KINDS.map(([name]) => name))('%s: on 300 nodes it is one message, that names each', (name) => {
    const alerts = stormOfKind(300, name);
    expect(divided(alerts)).toHaveLength(1);
    const digest = digested(alerts);
    expect(digest).toMatchObject({
      severity: alerts[0]?.severity,
      event: alerts[0]?.event,
      instance: 'all',
      node: 'all',
    });
    expect(digest.title).toMatch(/^300 nodes: \S/);
    expect(digest.members?.map(({ id }) => id).toSorted()).toEqual(alerts.map(({ id }) => id).toSorted());
    const text = alertText(digest).replace(/\n {3,}/g, ' ');
    for (let n = 0; n < 300; n++) {
      expect(text).toContain(`  ${placeOf(n).instance} `);
      expect(text).toContain(placeOf(n).node);
    }
    expect(alertSubject(digest)).toMatch(/^\[offpeak prod\] 300 nodes: .*\((info|warning|critical)\)$/);
    for (const line of alertText(digest).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('three of a kind are told one by one, four in one message', () => {
    expect(divided(stormOfKind(3, 'unsupported')).map(({ length }) => length)).toEqual([1, 1, 1]);
    expect(divided(stormOfKind(4, 'unsupported')).map(({ length }) => length)).toEqual([4]);
  });

  test('1,000 events of mixed kinds are at most ten messages, in the topic as in the chat', () => {
    const groups = divided(stormOf(1_000));
    expect(groups.length).toBeLessThanOrEqual(MOST_MESSAGES);
    expect(shown(groups)).toBeLessThanOrEqual(MOST_MESSAGES);
    expect(new Set(groups.flat().map(({ id }) => id)).size).toBe(1_000);
  });

  test('failures and early ends are told together by their cause, as long as those are few', () => {
    const causes = KINDS.filter(([, , event]) => event === 'action-failed');
    const groups = divided(stormOf(60, causes));
    expect(groups.map((group) => digested(group).title)).toEqual([
      expect.stringMatching(/^\d+ nodes: MEMORY PURGE failed$/),
      expect.stringMatching(/^\d+ nodes: active defrag could not be started$/),
      expect.stringMatching(/^\d+ nodes: active defrag could not be ended$/),
    ]);
  });

  test('however many of which kinds: every event is in one message, beside events of its severity, and messages are few', () => {
    const storm = stormOf(1_000);
    const some = fc.array(fc.nat({ max: KINDS.length - 1 }), { minLength: 1, maxLength: KINDS.length });
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 1_000 }), (kinds, most) => {
        const alerts = storm.filter((_, n) => kinds.includes(n % KINDS.length)).slice(0, most);
        const groups = divided(alerts);
        expect(groups.flat().toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
          alerts.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
        );
        expect(shown(groups)).toBeLessThanOrEqual(MOST_MESSAGES);
        for (const group of groups) expect(new Set(group.map(({ severity }) => severity)).size).toBe(1);
      }),
      { numRuns: runs(0.06) },
    );
  });
});

describe('F11: a digest', () => {
  test('says of each node what sets it apart: its figures, its reason, or which server it is', () => {
    const words = (name: string) => digested(stormOfKind(5, name)).members?.[0]?.what;
    expect(words('unsupported')).toBe('redis 7.0.15, primary');
    const [one, ...others] = stormOfKind(5, 'a purge failed');
    if (!one) throw new Error('an alert expected');
    const reasons = digested([{ ...one, why: 'MEMORY PURGE failed: NOPERM.' }, ...others]);
    expect(reasons.members?.[0]?.what).toBe('MEMORY PURGE failed: NOPERM.');
    expect(reasons.why).toMatch(/^Each node has a reason of its own/);
    const figures = digested([{ ...one, title: `${one.instance}: 7 MiB returned by a purge` }, ...others]);
    expect(figures.members?.[0]?.what).toBe('7 MiB returned by a purge');
  });

  test('adds up what came back, and names the node whose clients waited the longest', () => {
    const alerts = stormOfKind(4, 'a purge that helped');
    const [first, ...rest] = alerts;
    if (!first) throw new Error('an alert expected');
    const { facts } = digested([
      { ...first, figures: { ...first.figures, stallMs: 400, promisedStallMs: 250 } },
      ...rest,
    ]);
    expect(facts).toContainEqual({ label: 'Together', value: '1.17 GiB returned of 1.21 GiB predicted' });
    expect(facts).toContainEqual({
      label: 'Longest wait',
      value: `400 ms, on ${first.instance} ${first.node}; 1 longer than promised`,
    });
  });

  test('of several kinds counts them, and says which node has met which', () => {
    const digest = digested(stormOf(1_000).filter(({ severity }) => severity === 'warning'));
    expect(digest).toMatchObject({ event: 'several', severity: 'warning' });
    expect(digest.facts).toContainEqual({ label: 'lease-lost', value: expect.stringMatching(/^\d+$/) });
    expect(digest.members?.find(({ event }) => event === 'lease-lost')?.what).toBe(
      "the server restarted during Offpeak's active defrag",
    );
  });

  test('counts a node once: events of many ticks are told with how many they are', () => {
    const ticks = [1, 2, 3].flatMap((tick) =>
      stormOfKind(4, 'foreign').map((one) => ({ ...one, id: `${one.id}${tick}` })),
    );
    expect(digested(ticks).title).toBe('12 events on 4 nodes: active defrag is on, and Offpeak did not start it');
  });

  test('of one instance keeps its name; what to do is quoted once for all, or with how many have to do it', () => {
    const [a, b] = stormOfKind(2, 'foreign');
    if (!a || !b) throw new Error('alerts expected');
    expect(digested([a, b])).toMatchObject({ instance: a.instance, node: 'all', next: a.next });
    expect(digested([a, b, { ...b, next: 'Restart it.' }]).next).toBe(
      `On 2 of them: ${a.next}\nOn 1 of them: Restart it.`,
    );
  });
});
