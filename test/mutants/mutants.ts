/** One way to break a law of docs/safety.md, and the tests that must notice. */
export interface Mutant {
  readonly law: 'S1' | 'S2' | 'S3' | 'S4' | 'S5' | 'S6' | 'S7' | 'S8' | 'S9';
  readonly what: string;
  /** Below functions/; `from` stands in it exactly once. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Test files below test/. */
  readonly tests: readonly string[];
}

const MODEL = ['model/model.test.ts', 'model/regressions.test.ts', 'model/every-effect.test.ts'];
const PLAN = ['functions/maintain/decide/plan'];

export const MUTANTS: readonly Mutant[] = [
  {
    law: 'S1',
    what: 'every window is open',
    file: 'maintain/visit.ts',
    from: 'windowAt(instance.windows, instance.timezone, now, instance.holidays)',
    to: '({ open: true, opensAt: now, closesAt: now + 3_600_000 } as const)',
    tests: MODEL,
  },
  {
    law: 'S1',
    what: 'a pause is overlooked',
    file: 'maintain/decide/plan.ts',
    from: '  if (pause) {\n    const { until',
    to: '  if (pause && policy.id === "") {\n    const { until',
    tests: MODEL,
  },
  {
    law: 'S1',
    what: 'blockers are listed and ignored',
    file: 'maintain/decide/plan.ts',
    from: "  return first ? { kind: 'skip', reason: first.kind, instead, blockers } : acting;",
    to: '  return acting;',
    tests: MODEL,
  },
  {
    law: 'S2',
    what: 'neither a closed window nor anything else ends a defrag',
    file: 'maintain/decide/stop.ts',
    from: '  const stop = stopReason(situation, lease);',
    to: '  const stop = lease.closing ? stopReason(situation, lease) : undefined;',
    tests: MODEL,
  },
  {
    law: 'S2',
    what: 'a lease is dropped before anything is given back',
    file: 'maintain/tend-leased.ts',
    from: '  const given = await give(visit, held.lease, because, observation);',
    to: '  const given = { settled: observation, restored: {}, leftAlone: {}, missing: [] } as GivenBack;',
    tests: MODEL,
  },
  {
    law: 'S2',
    what: 'one setting is forgotten',
    file: 'maintain/decide/stall.ts',
    from: '    if (prior === undefined || now === prior) continue;',
    to: "    if (prior === undefined || now === prior || name === 'hz') continue;",
    tests: MODEL,
  },
  {
    law: 'S2',
    what: 'a lease does not follow its server to another address',
    file: 'maintain/stranded.ts',
    from: "runId !== '' && observation.runId === runId",
    to: "runId === '-' && observation.runId === runId",
    tests: ['model/regressions.test.ts'],
  },
  {
    law: 'S2',
    what: 'a lease that nobody can give back is forgotten',
    file: 'maintain/leases.ts',
    from: "if (held.lease.runId !== '') await",
    to: "if (held.lease.runId === '') await",
    tests: ['model/regressions.test.ts'],
  },
  {
    law: 'S2',
    what: 'a server that answers as itself is still taken for a restarted one',
    file: 'maintain/tend-leased.ts',
    from: "(isAside(held) ? 'duration-spent' : undefined)",
    to: 'undefined',
    tests: ['model/regressions.test.ts'],
  },
  {
    law: 'S3',
    what: "a human's change during our run is overwritten",
    file: 'maintain/decide/stall.ts',
    from: '    else leftAlone[name] = now;',
    to: '    else restore[name] = prior;',
    tests: MODEL,
  },
  {
    law: 'S3',
    what: 'a defrag that a human has started is taken for nobody’s',
    file: 'maintain/decide/plan.ts',
    from: "  if (isActiveDefragOn(observation)) return { kind: 'skip', reason: 'foreign-defrag' };",
    to: '',
    tests: PLAN,
  },
  {
    law: 'S3',
    what: "a switch that is on again after a job's end is taken for its own",
    file: 'maintain/decide/lease.ts',
    from: "return lease.phase === 'closing' &&",
    to: "return lease.phase === 'taking' &&",
    tests: ['model/regressions.test.ts'],
  },
  {
    law: 'S4',
    what: 'primaries first',
    file: 'maintain/decide/turns.ts',
    from: '? 1 : 2;',
    to: '? 2 : 1;',
    tests: MODEL,
  },
  {
    law: 'S4',
    what: 'a lease is taken though another one stands',
    file: 'maintain/leases.ts',
    from: 'store.write(key, lease, undefined)',
    to: 'store.write(key, lease, (await store.read(key))?.version)',
    tests: MODEL,
  },
  {
    law: 'S5',
    what: 'the stall is planned at eight times the promise',
    file: 'maintain/decide/stall.ts',
    from: 'const COMFORTABLE_HZ = 100;',
    to: 'const COMFORTABLE_HZ = 1;',
    tests: ['functions/maintain/decide/stall'],
  },
  {
    law: 'S5',
    what: 'a purge that blocks for too long is carried out',
    file: 'maintain/decide/plan.ts',
    from: "  if (predicted.reclaim < Math.max(1, policy.purge.minReclaim)) return { kind: 'skip', reason: 'healthy' };\n  if (!policy.purge.enabled)",
    to: "  if (predicted.reclaim < Math.max(1, policy.purge.minReclaim)) return { kind: 'skip', reason: 'healthy' };\n  if (predicted.stall > policy.purge.maxBlock) return { kind: 'act', action: { kind: 'purge' }, reason: 'pages-retained', predicted };\n  if (!policy.purge.enabled)",
    tests: MODEL,
  },
  {
    law: 'S6',
    what: 'a node that cannot be reached ends the tick',
    file: 'maintain/look.ts',
    from: '    return { instance, node, problem: problemOf(error) };',
    to: '    throw error;',
    tests: MODEL,
  },
  {
    law: 'S7',
    what: 'nothing is entrusted to the outbox',
    file: 'maintain/visit.ts',
    from: '  await entrust(ports, holder, alerts);',
    to: '  if (alerts.length < 0) await entrust(ports, holder, alerts);',
    tests: MODEL,
  },
  {
    law: 'S7',
    what: 'the outbox is never read',
    file: 'maintain/outbox.ts',
    from: '  const isDown = alerts.length > 0 && unkept.length === alerts.length;',
    to: '  const isDown = alerts.length === 0;',
    tests: MODEL,
  },
  {
    law: 'S7',
    what: 'a purge whose job has died is passed over',
    file: 'maintain/purge.ts',
    from: '  return !(await isEntrusted(ports.store, [stage, instance.id, node], acquiredAt));',
    to: '  return (await isEntrusted(ports.store, [stage, instance.id, node], acquiredAt)) && false;',
    tests: MODEL,
  },
  {
    law: 'S8',
    what: 'a server that refuses our password is quoted with it',
    file: 'shared/redis/connection.ts',
    from: 'errorCode(first.error)',
    to: 'JSON.stringify(target)',
    tests: ['integration/bad-servers.test.ts'],
  },
  {
    law: 'S9',
    what: 'the deny-list is not asked',
    file: 'maintain/decide/plan.ts',
    from: '  const denied = observation.engine.denied ?? crashDenial(situation);',
    to: '  const denied = crashDenial(situation);',
    tests: MODEL,
  },
];
