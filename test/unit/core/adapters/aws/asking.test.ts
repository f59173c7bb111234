import { expect, test } from 'vitest';
import { askedOnce, everyPage, isDenied } from '../../../../../core/adapters/aws/asking.ts';
import { DiscoveryFailure } from '../../../../../core/ports/discovery.ts';

const ASKED = { service: 'ElastiCache', right: 'elasticache:DescribeCacheClusters' };

async function* failing(name: string) {
  yield 1;
  throw Object.assign(new Error('the reason'), { name });
}

test.each([
  [
    'AccessDeniedException',
    /refuses DescribeCacheClusters: allow the job's role elasticache:DescribeCacheClusters\./,
    true,
  ],
  ['NotAuthorized', /refuses DescribeCacheClusters/, true],
  ['ThrottlingException', /has throttled DescribeCacheClusters, .* the next tick asks again/, false],
  ['RequestLimitExceeded', /has throttled/, false],
  ['InternalFailure', /^ElastiCache has not answered DescribeCacheClusters: InternalFailure: the reason$/, false],
])('a call that fails says what to do: %s', async (name, words, denied) => {
  const failure = await everyPage(failing(name), ASKED, undefined).catch((error: unknown) => error);
  if (!(failure instanceof DiscoveryFailure)) throw failure;
  expect(failure.message).toMatch(words);
  expect(isDenied(failure)).toBe(denied);
});

test('what is asked of a region at the same moment is asked once, and later anew', async () => {
  const asked: string[] = [];
  const ask = askedOnce(async (region) => asked.push(region ?? 'own'));
  expect(
    await Promise.all([ask(undefined, undefined), ask(undefined, undefined), ask('eu-west-1', undefined)]),
  ).toEqual([1, 1, 2]);
  await ask(undefined, undefined);
  expect(asked).toEqual(['own', 'eu-west-1', 'own']);
});

test('a question that its first asker gives up is a failure in words for the others', async () => {
  const given = new AbortController();
  const ask = askedOnce(
    async (_, signal) =>
      await new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  );
  const first = ask(undefined, given.signal);
  const second = ask(undefined, new AbortController().signal);
  given.abort();
  await expect(first).rejects.toThrow(/^aborted$/);
  await expect(second).rejects.toThrow(/^there was no answer in time: Error: aborted$/);
});
