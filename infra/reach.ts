import { BlockList, isIP } from 'node:net';
import type { Config } from '../core/config/schema.ts';
import { isAttached, type Network } from './network.ts';

const LOOPBACK = blockOf(['127.0.0.0', 8, 'ipv4'], ['::1', 128, 'ipv6']);
/** RFC 1918, 6598 and 4193: routed inside a network only. */
const PRIVATE = blockOf(
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['fc00::', 7, 'ipv6'],
);

/** A warning for each address that the deployed functions cannot reach as they are deployed. Names are not resolved: they may be private too. */
export function outOfReach({ instances }: Pick<Config, 'instances'>, network: Network): readonly string[] {
  return instances.flatMap(({ id, nodes }) =>
    nodes.flatMap((node) => {
      const why = whyNot(node.host, network);
      return why === undefined ? [] : [`${node.id} (instance ${id}) ${why}`];
    }),
  );
}

function whyNot(host: string, network: Network): string | undefined {
  if (host === 'localhost' || isIn(LOOPBACK, host))
    return 'is the Lambda function itself. Write the address that the server has in its network';
  if (isAttached(network) || !isIn(PRIVATE, host)) return undefined;
  return 'is a private address, and the functions are in no VPC: set the parameters subnetIds and securityGroupIds (docs/deploy.md)';
}

function blockOf(...subnets: readonly (readonly [net: string, prefix: number, type: 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix, type] of subnets) list.addSubnet(net, prefix, type);
  return list;
}

function isIn(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
