import type { ManagedService } from '../../core/config/iam.ts';
import type { Parameter } from '../../core/ports/parameter-groups.ts';

/** What the family of the engine sets, and what AWS lets it be. */
const FAMILY = {
  activedefrag: ['no', 'yes,no'],
  'active-defrag-cycle-max': ['25', '1-75'],
  'active-defrag-cycle-min': ['1', '1-75'],
  'active-defrag-ignore-bytes': ['104857600', '1048576-1073741824'],
  'active-defrag-threshold-lower': ['10', '1-100'],
} as const;

export type ParameterName = keyof typeof FAMILY;

const NAMES = Object.keys(FAMILY) as readonly ParameterName[];

interface Held {
  readonly value: string;
  readonly source: 'user' | 'engine-default';
  readonly owner: 'family' | 'human' | 'job';
}

interface Value extends Held {
  /** What the job has found, and what it has set. */
  readonly taken?: { readonly prior: Held; readonly value: string };
}

/** A parameter group of AWS: values, where they come from, and who is behind that. */
export function aParameterGroup(service: ManagedService) {
  const values = Object.fromEntries(NAMES.map((name) => [name, ofFamily(name)])) as Record<ParameterName, Value>;
  const taken = () => NAMES.filter((name) => values[name].owner === 'job');
  // MemoryDB does not say where a value comes from.
  const isSame = (a: Pick<Held, 'value' | 'source'>, b: Pick<Held, 'value' | 'source'>) =>
    a.value === b.value && (a.source === b.source || service === 'memorydb');

  function byJob(name: ParameterName, after: Pick<Held, 'value' | 'source'>): void {
    const { taken: earlier, ...before } = values[name];
    if (before.owner !== 'job') {
      if (!isSame(before, after))
        values[name] = { ...after, owner: 'job', taken: { prior: before, value: after.value } };
    } else if (earlier)
      values[name] = isSame(earlier.prior, after) ? earlier.prior : { ...before, ...after, taken: earlier };
  }

  return {
    values,
    /** What the job has changed, and what is not as before again. */
    taken,
    isOurs: () => values.activedefrag.value === 'yes' && values.activedefrag.owner === 'job',
    read: (): readonly Parameter[] =>
      NAMES.map((name) => ({
        name,
        value: values[name].value,
        allowed: FAMILY[name][1],
        isModifiable: true,
        isImmediate: true,
        ...(service === 'elasticache' && { source: values[name].source }),
      })),
    set: (name: ParameterName, value: string) => byJob(name, { value, source: 'user' }),
    reset: (name: ParameterName) => byJob(name, ofFamily(name)),
    /** A human who types what the job has set, during its run, changes nothing that anybody could see. */
    type(name: ParameterName, value: string): void {
      const earlier = taken().length > 0 ? values[name].taken : undefined;
      const owner = earlier?.value === value ? 'job' : 'human';
      values[name] = { value, source: 'user', owner, ...(earlier && { taken: earlier }) };
    },
  };
}

function ofFamily(name: ParameterName): Held {
  return { value: FAMILY[name][0], source: 'engine-default', owner: 'family' };
}

export type ParameterGroupOfModel = ReturnType<typeof aParameterGroup>;
