import { BlockList, isIP } from 'node:net';
import type { NodeAddress } from '../core/config/address.ts';
import { isLoopback } from '../core/config/clear-text.ts';
import type { Config } from '../core/config/schema.ts';
import { isAttached, type Network } from './network.ts';

/** RFC 1918, 6598 and 4193: routed inside a network only. */
const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(net, prefix, 'ipv4');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');

/** A warning for each address that the deployed functions cannot reach as they are deployed. Names are not resolved: they may be private too. */
export function outOfReach({ instances }: Pick<Config, 'instances'>, network: Network): readonly string[] {
  return instances.flatMap(({ id, nodes }) =>
    nodes.flatMap((node) => {
      const why = whyNot(node, network);
      return why === undefined ? [] : [`${node.id} (instance ${id}) ${why}`];
    }),
  );
}

function whyNot(node: NodeAddress, network: Network): string | undefined {
  if (isLoopback(node)) return 'is the Lambda function itself. Write the address that the server has in its network';
  if (isAttached(network) || !isPrivate(node)) return undefined;
  return 'is a private address, and the functions are in no VPC: set the parameters subnetIds and securityGroupIds (docs/deploy.md)';
}

function isPrivate({ host }: NodeAddress): boolean {
  const family = isIP(host);
  return family !== 0 && PRIVATE.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
