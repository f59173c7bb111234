import bytes from 'bytes-iec';
import ms from 'ms';
import * as z from 'zod/mini';
import { scalar } from './scalar.ts';
import { type Bytes, DURATION, type Milliseconds, type Percent } from './units.ts';

const SIZE = '^\\d+(\\.\\d+)?\\s?([kKmMgGtTpP][iI]?)?[bB]$';
const NUMBER = /^\d+(\.\d+)?$/;

interface SizeRange {
  readonly min?: Bytes;
  readonly like: string;
}

/**
 * A size with a unit: `128MiB` and `1.5GiB` are powers of 1024, `100MB` and `100mb` powers of 1000. Only 0 goes without
 * a unit: `minReclaim: 128` would mean 128 bytes, and so a purge on every tick.
 */
export function size({ min = 0, like }: SizeRange) {
  const above = min > 0 ? ', more than 0' : '';
  return scalar<Bytes>({
    accepted: `a size with a unit${above}, like ${like}`,
    json: { type: ['string', 'integer'], pattern: `${SIZE}|^0$`, minimum: 0, maximum: 0 },
    read(raw) {
      const value = readSize(raw);
      if (typeof value !== 'number') return value;
      if (value < min) return { refused: 'is too small' };
      return Number.isSafeInteger(value) ? { value } : { refused: 'is too large' };
    },
  });
}

function readSize(raw: unknown): Bytes | { refused: string } {
  if (raw === 0 || raw === '0') return 0;
  if (typeof raw === 'number' || (typeof raw === 'string' && NUMBER.test(raw))) return { refused: 'has no unit' };
  const parsed = typeof raw === 'string' && new RegExp(SIZE).test(raw) ? bytes.parse(raw) : null;
  return parsed === null ? { refused: 'is not a size' } : Math.floor(parsed);
}

interface DurationRange {
  readonly min: ms.StringValue;
  readonly max: ms.StringValue;
  readonly like: string;
  /** CloudWatch counts alarm periods in whole minutes: half a minute would be rounded without a message. */
  readonly wholeMinutes?: boolean;
}

/** A duration with a unit (ms, s, m, h, d), `min` to `max`, both included. */
export function duration({ min, max, like, wholeMinutes = false }: DurationRange) {
  return scalar<Milliseconds>({
    accepted: `a duration${wholeMinutes ? ' in whole minutes' : ''} from ${min} to ${max} with its unit, like ${like}`,
    json: { type: 'string', pattern: DURATION },
    read(raw) {
      const value = readDuration(raw);
      if (typeof value !== 'number') return value;
      if (value < ms(min)) return { refused: `is shorter than ${min}` };
      if (value > ms(max)) return { refused: `is longer than ${max}` };
      return wholeMinutes && value % 60_000 !== 0 ? { refused: 'is not in whole minutes' } : { value };
    },
  });
}

function readDuration(raw: unknown): Milliseconds | { refused: string } {
  if (typeof raw === 'number' || (typeof raw === 'string' && NUMBER.test(raw))) return { refused: 'has no unit' };
  if (typeof raw !== 'string' || !new RegExp(DURATION).test(raw)) return { refused: 'is not a duration' };
  // 1.1s is 1100.0000000000002 in floating point: rounded to microseconds, so that comparisons are exact.
  const value = Math.round(ms(raw as ms.StringValue) * 1000) / 1000;
  return Number.isFinite(value) ? value : { refused: 'is not a duration' };
}

/** A whole percentage, written `25` or `25%`, `min` to `max`, both included. */
export function percent({ min, max }: { readonly min: Percent; readonly max: Percent }) {
  return scalar<Percent>({
    accepted: `a whole percentage from ${min} to ${max}, like ${max} or ${max}%`,
    json: { type: ['integer', 'string'], minimum: min, maximum: max, pattern: '^\\d{1,3}%$' },
    read(raw) {
      const value = typeof raw === 'string' && /^\d{1,3}%$/.test(raw) ? Number(raw.slice(0, -1)) : raw;
      if (typeof value !== 'number' || !Number.isInteger(value)) return { refused: 'is not a whole percentage' };
      return value < min || value > max ? { refused: `is outside ${min} to ${max}` } : { value };
    },
  });
}

/** A plain number, `min` to `max`, both included; `whole` refuses fractions. */
export function number({ min, max, whole = false }: { min: number; max: number; whole?: boolean }) {
  const error = `a ${whole ? 'whole ' : ''}number from ${min} to ${max}`;
  const range = [z.gte(min, { error }), z.lte(max, { error })] as const;
  return whole ? z.int({ error }).check(...range) : z.number({ error }).check(...range);
}
