import type { Bytes } from '../config/units.ts';
import type { KeyFinding } from '../domain/keys.ts';
import { exactly, type Ground, type Sampled, stakeOf } from './ground.ts';
import { classBelow, type Quantum, rawBytes, sizeClass } from './size-class.ts';

/** Shorter values are as near to their class as they can be: below 64 bytes, classes are 8 or 16 bytes apart. */
function isRaw(one: Sampled): one is Sampled & { readonly length: number } {
  return one.type === 'string' && one.encoding === 'raw' && one.length !== undefined;
}

/** Within this much of the class below, a value can be shortened to fit it. */
const NEAR = 0.1;

export function roundingFinding(pattern: string, group: readonly Sampled[], ground: Ground): KeyFinding | undefined {
  const { quantum } = ground;
  if (quantum === undefined) return undefined;
  const values = group.filter(isRaw).map(({ name, length }) => {
    const asked = rawBytes(length);
    const given = sizeClass(asked, quantum);
    return { name, asked, given, fits: classBelow(asked, quantum), padded: paddedBytes(length, quantum) };
  });
  const stake = stakeOf(
    values.map(({ name, asked, given }) => exactly(name, given - asked)),
    ground,
  );
  if (!stake) return undefined;
  const given = sumOf(values.map((value) => value.given));
  const padded = sumOf(values.map((value) => value.padded));
  const near = nearest(values);
  return {
    kind: 'rounding',
    pattern,
    ...stake,
    share: given === 0 ? 0 : sumOf(values.map((value) => value.given - value.asked)) / given,
    ...(near && { near }),
    padding: Math.round((Math.max(0, padded - given) / ground.drawn) * ground.population),
  };
}

/** The value filled up to the next power of two, as the advice goes: with its header it then needs the class above. */
function paddedBytes(length: number, quantum: Quantum): Bytes {
  return sizeClass(rawBytes(2 ** Math.ceil(Math.log2(Math.max(1, length)))), quantum);
}

/** The class that half of the values miss by little, and by how much at most. */
function nearest(values: readonly { readonly asked: Bytes; readonly given: Bytes; readonly fits: Bytes }[]) {
  const close = values.filter(({ asked, fits }) => fits > 0 && asked - fits <= NEAR * fits);
  const groups = [...Map.groupBy(close, ({ fits }) => fits)].toSorted(([, a], [, b]) => b.length - a.length);
  const [fits, largest = []] = groups[0] ?? [];
  if (fits === undefined || largest.length < values.length / 2) return undefined;
  return { fits, over: Math.max(...largest.map(({ asked }) => asked - fits)) };
}

/** With less to gain, the time of compressing costs more than the memory. */
const WORTHWHILE = 0.8;

/** Only where values were read. */
export function compressibleFinding(
  pattern: string,
  group: readonly Sampled[],
  ground: Ground,
): KeyFinding | undefined {
  const { quantum = 16 } = ground;
  const values = group.filter(isRaw).flatMap(({ name, length, deflated }) => {
    if (deflated === undefined) return [];
    const now = sizeClass(rawBytes(length), quantum);
    const then = sizeClass(rawBytes(Math.ceil(length * Math.min(1, deflated))), quantum);
    return [{ name, length, deflated: Math.min(1, deflated), saved: now - then }];
  });
  const stake = stakeOf(
    values.map(({ name, saved }) => exactly(name, saved)),
    ground,
  );
  if (!stake) return undefined;
  const bytes = sumOf(values.map(({ length }) => length));
  const left = sumOf(values.map(({ length, deflated }) => length * deflated)) / bytes;
  if (left > WORTHWHILE) return undefined;
  return { kind: 'compressible', pattern, ...stake, left, size: Math.round(bytes / values.length) };
}

export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
