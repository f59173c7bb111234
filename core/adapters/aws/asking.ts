import { DiscoveryFailure } from '../../ports/discovery.ts';
import { clientSettings } from './clients.ts';
import { AwsEnvironmentError, describeFailure } from './failure.ts';

/** One call of AWS' APIs, for the words of its failure. */
interface Asked {
  /** `ElastiCache` */
  readonly service: string;
  /** The right that it takes, whose name ends in the call's: `elasticache:DescribeCacheClusters`. */
  readonly right: string;
}

/** What a client that asks for nodes is made with. @throws {DiscoveryFailure} where the environment lacks a region */
export function settingsFor(...asked: Parameters<typeof clientSettings>): ReturnType<typeof clientSettings> {
  try {
    return clientSettings(...asked);
  } catch (error) {
    throw error instanceof AwsEnvironmentError ? new DiscoveryFailure(error.message, { isMistake: true }) : error;
  }
}

/** Every page of one call. @throws {DiscoveryFailure} in words; what an aborted `signal` ends fails as it is */
export async function everyPage<Page>(
  pages: AsyncIterable<Page>,
  asked: Asked,
  signal: AbortSignal | undefined,
): Promise<readonly Page[]> {
  const found: Page[] = [];
  try {
    for await (const page of pages) found.push(page);
    return found;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw failureOf(error, asked);
  }
}

/** The answer of one call. @throws {DiscoveryFailure} in words */
export async function answered<T>(call: Promise<T>, asked: Asked): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw failureOf(error, asked);
  }
}

type Ask<T> = (region: string | undefined, signal: AbortSignal | undefined) => Promise<T>;

/** What several instances ask of one region at the same moment is asked once: AWS limits calls for the whole account. */
export function askedOnce<T>(ask: Ask<T>): Ask<T> {
  const underWay = new Map<string, Promise<T>>();
  return async (region, signal) => {
    const key = region ?? '';
    const first = underWay.get(key);
    const answer = first ?? ask(region, signal).finally(() => underWay.delete(key));
    underWay.set(key, answer);
    try {
      return await answer;
    } catch (error) {
      if (!first || signal?.aborted || error instanceof DiscoveryFailure) throw error;
      throw new DiscoveryFailure(`there was no answer in time: ${describeFailure(error)}`, { cause: error });
    }
  };
}

/** Whether it was a missing right that made the call fail. */
export function isDenied({ cause }: DiscoveryFailure): boolean {
  return DENIED.test(nameOf(cause));
}

const DENIED = /AccessDenied|NotAuthorized|Unauthorized/;
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded/;

function failureOf(error: unknown, asked: Asked): DiscoveryFailure {
  return new DiscoveryFailure(refusalOf(error, asked), { cause: error, isMistake: DENIED.test(nameOf(error)) });
}

function refusalOf(error: unknown, { service, right }: Asked): string {
  const call = right.slice(right.indexOf(':') + 1);
  if (DENIED.test(nameOf(error)))
    return `${service} refuses ${call}: allow the job's role ${right}. The template does so for what the config discovers: deploy it anew`;
  if (THROTTLED.test(nameOf(error)))
    return `${service} has throttled ${call}, which the whole account shares: the next tick asks again`;
  return `${service} has not answered ${call}: ${describeFailure(error)}`;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}
