import { type Reading, scalar } from './scalar.ts';

/** The services of AWS whose users can sign in with IAM. */
export const MANAGED_SERVICES = ['elasticache', 'memorydb'] as const;
export type ManagedService = (typeof MANAGED_SERVICES)[number];

/** A group of nodes that AWS manages: its service and its id. */
export interface ManagedGroup {
  readonly service: ManagedService;
  /** The id of a replication group of ElastiCache, the name of a cluster of MemoryDB. */
  readonly group: string;
  /** Absent: the job's own. */
  readonly region?: string;
}

/** Sign-in with a token of IAM. Without `group`, it is the group that discovery has found. */
export type IamSignIn = Pick<ManagedGroup, 'service'> & Partial<ManagedGroup>;

/** AWS allows 1 to 40 characters, and stores lower case. */
const GROUP = '[A-Za-z](?=.{0,39}$)[A-Za-z0-9]*(-[A-Za-z0-9]+)*';
/** The id of a user, which with IAM is also its name. `default.` begins the ids of users that ElastiCache makes. */
export const IAM_USER = /^(default\.)?[a-z][a-z0-9-]{0,39}$/i;

/** `elasticache`, `memorydb`, `{ elasticache: <id> }` or `{ memorydb: <name> }`. */
export function iamSignIn() {
  return scalar<IamSignIn>({
    accepted:
      '{ elasticache: <id of the replication group> } or { memorydb: <name of the cluster> }; elasticache or memorydb alone where discovery finds the group',
    json: {
      anyOf: [
        { enum: [...MANAGED_SERVICES] },
        ...MANAGED_SERVICES.map((service) => ({
          type: 'object' as const,
          properties: { [service]: { type: 'string' as const, pattern: `^${GROUP}$` } },
          required: [service],
          additionalProperties: false,
        })),
      ],
    },
    read: readSignIn,
  });
}

function readSignIn(raw: unknown): Reading<IamSignIn> {
  if (typeof raw === 'string') {
    return isService(raw)
      ? { value: { service: raw } }
      : { refused: 'is not a service that Offpeak can sign in to with IAM' };
  }
  const [entry, ...others] = Object.entries(Object(raw));
  if (entry === undefined || others.length > 0) return { refused: 'does not name one service' };
  const [service, group] = entry;
  if (!isService(service)) return { refused: 'does not name a service that Offpeak can sign in to with IAM' };
  return typeof group === 'string' && new RegExp(`^${GROUP}$`).test(group)
    ? { value: { service, group: group.toLowerCase() } }
    : { refused: 'does not name a group: 1 to 40 letters, digits and single hyphens, a letter first' };
}

function isService(name: string): name is ManagedService {
  return MANAGED_SERVICES.some((service) => service === name);
}
