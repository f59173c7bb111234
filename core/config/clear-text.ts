import type { NodeAddress } from './address.ts';
import type { Config, InstanceConfig } from './schema.ts';

/** An instance whose password crosses a network unencrypted. */
interface ClearText {
  readonly instance: string;
  /** `host:port` of each such node. */
  readonly nodes: readonly string[];
}

/** What to do about it; the same for each instance. */
export const CLEAR_TEXT_REMEDY =
  'use rediss:// addresses (TLS), or, where that network is trusted, set `unencrypted: accepted` beside the password';

/** Instances with a password and redis:// addresses beyond this machine, unless their configuration accepts that. */
export function passwordsInClear({ instances }: Pick<Config, 'instances'>): readonly ClearText[] {
  return instances.flatMap(({ id, credentials, nodes, discover }: InstanceConfig) => {
    if (credentials?.password === undefined || credentials.unencrypted === 'accepted') return [];
    const clear = [...nodes, ...(discover?.cluster?.seeds ?? [])]
      .filter((node) => !node.tls && !isLoopback(node))
      .map((node) => node.id);
    return clear.length === 0 ? [] : [{ instance: id, nodes: clear }];
  });
}

/** As the configuration writes hosts: lower case, IPv6 addresses in their shortest form (RFC 5952; `::ffff:127.0.0.1` in hex). */
export function isLoopback({ host }: Pick<NodeAddress, 'host'>): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|::1|::ffff:7f[\da-f]{2}:[\da-f]{1,4})$/.test(host);
}
