import { expect, test } from 'vitest';
import { outOfReach } from '../../../infra/reach.ts';
import { configOf } from '../../support/job.ts';
import { LONELY_VPC, NO_NETWORK } from './stacks.ts';

const configWith = (url: string) => configOf(`instances:\n  - id: sessions\n    url: ${url}\n`);

test.each(['127.0.0.1', '127.9.9.9', 'localhost', '[::1]'])('%s is the function itself, in a VPC or not', (host) => {
  for (const network of [NO_NETWORK, LONELY_VPC])
    expect(outOfReach(configWith(`redis://${host}`), network)).toEqual([
      expect.stringMatching(/:6379 \(instance sessions\) is the Lambda function itself\. Write the address/),
    ]);
});

test.each(['10.0.0.9', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '[fd00::1]'])(
  '%s is private: it takes a VPC',
  (host) => {
    const config = configWith(`redis://${host}`);
    expect(outOfReach(config, NO_NETWORK)).toEqual([
      expect.stringMatching(/ is a private address, and the functions are in no VPC: set the parameters subnetIds/),
    ]);
    expect(outOfReach(config, LONELY_VPC)).toEqual([]);
  },
);

test.each(['172.32.0.1', '100.128.0.1', '8.8.8.8', 'redis.internal', '[2001:db8::1]'])('%s may be reached', (host) => {
  expect(outOfReach(configWith(`redis://${host}`), NO_NETWORK)).toEqual([]);
});
