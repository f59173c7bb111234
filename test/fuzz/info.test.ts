import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planLeased } from '../../core/actions/defrag/stop-rule.ts';
import { plan } from '../../core/actions/plan.ts';
import type { Command, Connection, Reply } from '../../core/adapters/redis/connection.ts';
import { observe } from '../../core/adapters/redis/observe.ts';
import { diagnose } from '../../core/diagnosis/diagnose.ts';
import { NodeFailure } from '../../core/ports/node-session.ts';
import { findingText } from '../../core/reporting/wording/finding.ts';
import { planText, reasonText } from '../../core/reporting/wording/plan.ts';
import { aLease, anInstance, anOutcome } from '../support/builders.ts';
import { INFO_NAMES, infoSection, infoText } from '../support/info-texts.ts';
import { aSituation } from '../support/situations.ts';
import { reportOf } from '../unit/core/actions/defrag/steps.ts';
import { numbersIn, slipsIn, textsIn } from './numbers.ts';
import { place } from './place.ts';
import { RUNS } from './runs.ts';

const AT = 1_795_398_811_066;

/** What no server should say, and some have. */
const value = fc.oneof(
  fc.constantFrom(
    'nan',
    '-nan',
    'inf',
    '-inf',
    '',
    ' ',
    '-1',
    '0',
    '1e309',
    '0x1F',
    '99999999999999999999',
    '１２',
    'yes',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.integer().map(String),
  fc.double().map(String),
);

type Mutation = (lines: string[]) => string[];
const at = (lines: readonly string[], share: number) =>
  Math.max(0, Math.min(lines.length - 1, Math.floor(share * lines.length)));

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, value).map(
    ([share, text]): Mutation =>
      (lines) => {
        const index = at(lines, share);
        return lines.toSpliced(index, 1, `${lines[index]?.split(':')[0]}:${text}`);
      },
  ),
  place.map(
    (share): Mutation =>
      (lines) =>
        lines.toSpliced(at(lines, share), 1),
  ),
  place.map(
    (share): Mutation =>
      (lines) => [...lines, lines[at(lines, share)] ?? ''],
  ),
  place.map(
    (share): Mutation =>
      (lines) =>
        lines.slice(0, at(lines, share) + 1),
  ),
  fc.constant<Mutation>((lines) => lines.map((line) => `${line}\r`)),
);

const mutated = fc
  .tuple(fc.constantFrom(...INFO_NAMES), fc.array(mutation, { minLength: 1, maxLength: 8 }))
  .map(([name, mutations]) =>
    mutations.reduce((lines, mutate) => mutate(lines), infoText(name).split('\n')).join('\n'),
  );

const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.anything({ withNullPrototype: false }).map((any): Reply => ({ ok: true, value: any })),
  fc.string().map((error): Reply => ({ ok: false, error })),
  fc.array(fc.string()).map((texts): Reply => ({ ok: true, value: texts })),
);

function connectionTo(info: string, other: Reply): Connection {
  return {
    sent: 1,
    send: async (commands: readonly Command[]) =>
      commands.map(([name, section = '']) =>
        name === 'INFO' ? { ok: true, value: infoSection(info, section) } : other,
      ),
    close: () => {},
  };
}

describe('whatever a server says', () => {
  test('a look is an observation of finite numbers, or a failure in words; and so is all that is decided on it', async () => {
    const instance = anInstance({ memoryLimit: 2 ** 30 });
    await fc.assert(
      fc.asyncProperty(mutated, reply, async (info, other) => {
        const seen = await observe(connectionTo(info, other), '10.0.0.5:6379', () => AT).catch((error: unknown) => {
          if (error instanceof NodeFailure) return error.message;
          throw error;
        });
        if (typeof seen === 'string') {
          expect(seen).not.toBe('');
          return;
        }
        const diagnosis = diagnose(seen, instance);
        const situation = aSituation({ observation: seen, diagnosis, policy: instance });
        const [free, leased] = [plan(situation), planLeased(situation, aLease())];
        const before = { observation: seen, diagnosis };
        const outcomes = [anOutcome({ before, plan: free }), anOutcome({ before, plan: leased, instance: 'other' })];
        const told = reportOf(outcomes, { instances: [instance] });
        expect(numbersIn([seen, diagnosis, free, leased, told]).filter((number) => !Number.isFinite(number))).toEqual(
          [],
        );
        expect(numbersIn(seen.memory).filter((number) => number < 0)).toEqual([]);

        const moment = { now: seen.at, diagnosis };
        const said = [
          ...diagnosis.findings.map(findingText),
          ...[free, leased].flatMap((decided) => [planText(decided, 'Europe/Berlin', moment), reasonText(decided)]),
          ...textsIn(told.alerts),
        ];
        expect(slipsIn(said, info + JSON.stringify(other))).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
