import type { KeyFinding, SamplingCost, SamplingEnd } from '../../domain/keys.ts';
import { blockerText } from '../../format/blocker.ts';
import { bytesText, countText, durationText, percentText, unworded } from '../../format/units.ts';

/** What was found, and what to do about it. */
interface KeyAdvice {
  readonly text: string;
  readonly remedy: string;
}

/** The sentences of one finding; its pattern and its bytes stand beside them. */
export function keyAdvice(finding: KeyFinding): KeyAdvice {
  switch (finding.kind) {
    case 'pack':
      return {
        text: `small strings without a TTL: ${bytesText(finding.each)} each, of which about ${bytesText(finding.packed)} would be left as a field of a hash`,
        remedy: `put ${countText(finding.entries)} of them into one hash (HSET with the rest of the name as the field). A field has no TTL of its own before Redis 7.4`,
      };
    case 'encoding':
      return encodingAdvice(finding);
    case 'rounding':
      return roundingAdvice(finding);
    case 'compressible':
      return {
        text: `values of ${bytesText(finding.size)} on average, of which deflate leaves ${percentText(finding.left * 100)}`,
        remedy: 'compress them before they are stored; it costs the clients time at each access, so measure that first',
      };
    case 'ttl-missing':
      return {
        text: `${percentText(finding.share * 100)} of these keys have no TTL, while the others have one`,
        remedy:
          'find the writer that leaves it out (a SET without EX drops the TTL of a key, too), and EXPIRE those that are there',
      };
    case 'never-expires':
      return {
        text: `none of these keys expires, while others do${finding.isEvictable ? '' : ', and the volatile- policy of maxmemory cannot evict them'}`,
        remedy: finding.isEvictable
          ? 'give them a TTL if they are a cache; nothing else removes them before maxmemory'
          : 'give them a TTL if they are a cache, or use an allkeys- policy',
      };
    case 'uneven-expiry':
      return {
        text: `in ${durationText(finding.at)}, ${percentText(finding.expiring * 100)} of all strings up to 14 KiB have expired, scattered over slabs that others keep: this much external fragmentation, if nothing of their sizes is written meanwhile`,
        remedy:
          'give what is written together the same TTL, so that whole slabs become free; what remains, active defrag returns. Padding to powers of two does not help: jemalloc keeps each size apart already',
      };
    default:
      return unwordedAdvice(finding);
  }
}

function unwordedAdvice(finding: never): KeyAdvice {
  return { text: unworded(finding), remedy: '' };
}

const COLLECTIONS = { hash: 'hashes', zset: 'sorted sets', set: 'sets' } as const;

function encodingAdvice({ type, by, setting, limit, needed }: Extract<KeyFinding, { kind: 'encoding' }>): KeyAdvice {
  const what = COLLECTIONS[type];
  const again = 'What is there shrinks when it is written anew, or when the server loads it after a restart';
  if (by === 'value')
    return {
      text: `${what} with few elements, of which one is, or was, longer than ${setting} ${limit}`,
      remedy: `keep long elements apart, or raise ${setting} above their length (on average they have ${countText(needed)} bytes). ${again}`,
    };
  const whole = setting === 'set-max-intset-entries' ? ', if their members are whole numbers' : '';
  return {
    text: `${what} just beyond ${setting} ${limit}: 95 % of them have up to ${countText(needed)} elements`,
    remedy: `raise ${setting} to ${needed}${whole}, or split them. ${again}. Each access then goes through up to ${countText(needed)} elements, so measure that first`,
  };
}

function roundingAdvice({ share, near, padding }: Extract<KeyFinding, { kind: 'rounding' }>): KeyAdvice {
  const text = `${percentText(share * 100)} of what these values take is rounding to the allocator's classes`;
  const pad = `Padding to powers of two, as is sometimes advised, would take ${bytesText(padding)} more`;
  return near
    ? {
        text: `${text}: most are just above the class of ${bytesText(near.fits)}`,
        remedy: `make them ${countText(near.over)} bytes shorter, with shorter field names or a denser format, and they fit it. ${pad}`,
      }
    : {
        text,
        remedy: `their sizes are spread, so that no one length fits; a denser format helps in proportion. ${pad}`,
      };
}

/** Why sampling ended; undefined where it had all that it was asked for. */
export function samplingEndText(end: SamplingEnd): string | undefined {
  switch (end.kind) {
    case 'enough':
      return undefined;
    case 'time':
      return 'the time was over before all samples were drawn; --duration gives more';
    case 'interrupted':
      return 'interrupted: this is what was drawn by then';
    case 'empty':
      return 'there are no keys';
    case 'failed':
      return end.message;
    case 'guard':
      return end.blocker.kind === 'near-limit'
        ? `stopped: RSS of ${bytesText(end.blocker.rss)} is near the limit of ${bytesText(end.blocker.limit)}, and the memory is for clients`
        : `stopped: ${blockerText(end.blocker)}`;
    default:
      return unworded(end);
  }
}

export function samplingCostText({ took, busy, by, share, budget, longest }: SamplingCost): string {
  const whose =
    by === 'commandstats' ? "by the server's count, and as much again around it" : 'by the time of its answers';
  return `took ${durationText(took)} and ${durationText(busy)} of the main thread (${percentText(share * 100)} of ${percentText(budget * 100)}; ${whose}), the slowest batch was answered in ${durationText(longest)}`;
}
