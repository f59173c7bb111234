import { isActiveDefragOn } from '../diagnosis/active-defrag.ts';
import { isJemalloc } from '../diagnosis/layers.ts';
import type { Answer } from '../domain/audit.ts';
import { isLikeRedis } from '../domain/engine.ts';
import { countText, percentText, unworded } from '../format/units.ts';
import { CONFIG_REFUSED, finding, fine, type NodeFacts, notAsked, type Rule, setting, unknown } from './facts.ts';

// Active defrag: whether it can run, does run, and what it costs clients.

export const DEFRAG_RULES: readonly Rule<NodeFacts>[] = [
  { id: 'defrag-support', title: 'the build can defragment', judge: support },
  { id: 'defrag', title: 'fragmentation is returned, by active defrag or by Offpeak', judge: isDone },
  { id: 'defrag-progress', title: 'active defrag moves what it examines', judge: progress },
  { id: 'defrag-aof', title: 'the AOF can be loaded while active defrag is on', judge: aof },
];

function support({ observation, defragSupport }: NodeFacts): Answer {
  if (!isLikeRedis(observation.engine)) return notAsked('the engine has no active defrag that Offpeak knows');
  if (!isJemalloc(observation.memory)) return notAsked('only jemalloc can: see the rule allocator');
  if (isActiveDefragOn(observation)) return fine('active defrag is on');
  switch (defragSupport) {
    case 'supported':
      return fine('the server would accept activedefrag yes');
    case 'unsupported':
      return finding(
        'warning',
        'the server refuses activedefrag yes: this build has a jemalloc without the hooks for it, as the packages of Debian and Ubuntu do',
        "install a build with the bundled jemalloc (the project's own packages or image). Until then only a restart, or a failover to a fresh replica, returns external fragmentation",
      );
    case 'refused':
      return unknown('CONFIG SET is refused, so the build could not be asked');
    case undefined:
      return unknown('before Redis 7.0 the build cannot be asked without switching defrag on');
  }
  return unknown(unworded(defragSupport));
}

function isDone(facts: NodeFacts): Answer {
  const { observation, instance, isConfigured, diagnosis, defragSupport } = facts;
  const { denied } = observation.engine;
  if (!isLikeRedis(observation.engine)) return notAsked('the engine has no active defrag that Offpeak knows');
  if (facts.isLeased) return fine("Offpeak's defrag is on, under a lease");
  const isOwn = isConfigured && instance.windows.length > 0 && instance.defrag.enabled;
  if (isActiveDefragOn(observation)) return isOn(facts, isOwn);
  if (denied) return notAsked('active defrag is unsafe on this version: see the rule version');
  if (!isJemalloc(observation.memory) || defragSupport === 'unsupported')
    return notAsked('this build cannot defragment');
  if (observation.refused.includes('config|get') && instance.defrag.through !== 'parameter-group')
    return unknown(
      'the server refuses CONFIG, so whether active defrag is on shows only while it runs; a managed service sets it in its parameter group',
    );
  if (isOwn) return fine("active defrag is off, and Offpeak switches it on in the instance's windows");
  const isNeeded = diagnosis.prospects.defrag.kind === 'worthwhile';
  const evidence = isConfigured
    ? 'active defrag is off, and Offpeak only watches: the instance has no window, or defrag.enabled is false'
    : 'active defrag is off';
  return finding(
    isNeeded ? 'warning' : 'advice',
    evidence,
    isConfigured
      ? 'give the instance a window'
      : 'let Offpeak run it in quiet hours (`npx offpeak init`), or switch it on for good with a low cycle',
    ...(isConfigured
      ? [{ kind: 'config' as const, line: 'windows: [{ days: daily, start: "02:00", duration: 3h }]' }]
      : [setting('activedefrag', 'yes')]),
  );
}

/** For good: Offpeak leaves a defrag alone that it did not start. */
function isOn({ observation }: NodeFacts, isOwn: boolean): Answer {
  const { denied } = observation.engine;
  if (denied)
    return finding(
      'critical',
      `active defrag is on, and ${denied.why} (${denied.issue})`,
      denied.unfixed ? 'switch it off' : `switch it off until ${denied.fixedIn} is installed`,
      setting('activedefrag', 'no'),
    );
  return isOwn
    ? finding(
        'advice',
        'active defrag is on, and Offpeak has no lease for it',
        'Offpeak leaves it alone, and only purges here: switch it off, or set defrag.enabled: false',
        setting('activedefrag', 'no'),
      )
    : fine('active defrag is on');
}

/** So many values examined say something. */
const ENOUGH_EXAMINED = 1_000_000;

/** Redis itself counts a pass with fewer hits as without effect (redis#13752). */
const FEW_HITS = 0.01;

function progress({ observation }: NodeFacts): Answer {
  const { hits, misses, running } = observation.defrag;
  if (!isActiveDefragOn(observation)) return notAsked('active defrag is off');
  if (hits === undefined || misses === undefined) return unknown('the server does not count what defrag moves');
  const examined = hits + misses;
  const seen = `active defrag has moved ${countText(hits)} of ${countText(examined)} values that it has examined`;
  if (examined < ENOUGH_EXAMINED || hits / examined >= FEW_HITS || (running ?? 0) === 0) return fine(seen);
  return finding(
    'warning',
    `${seen} (${percentText((hits / examined) * 100)}), and is running`,
    'it takes CPU without effect: raise active-defrag-threshold-lower, or let Offpeak run it for a time',
    setting('active-defrag-threshold-lower', '20'),
  );
}

function aof(facts: NodeFacts): Answer {
  const { observation, inquiry } = facts;
  const { engine } = observation;
  if (!isActiveDefragOn(observation) || facts.isLeased) return notAsked('active defrag is not on for good');
  if (engine.name !== 'redis') return notAsked('a fault of Redis');
  const { appendonly, 'aof-use-rdb-preamble': preamble } = inquiry.settings ?? {};
  if (appendonly === undefined) return unknown(CONFIG_REFUSED);
  if (appendonly !== 'yes' || preamble === 'no') return fine('there is no AOF with an RDB preamble');
  return isFixed(engine.version)
    ? fine('this version loads it')
    : finding(
        'warning',
        `active defrag is on for good, and Redis ${engine.version} may fail to load an AOF with an RDB preamble then (redis#15539, fixed in 8.10)`,
        'keep it out of the config file: switch it on for a time only, as Offpeak does',
        setting('activedefrag', 'no'),
      );
}

function isFixed(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 8 || (major === 8 && minor >= 10);
}
