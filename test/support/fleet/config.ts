import { addressOf, type Kind, type Ports } from './servers.ts';

/** The most that an instance has of them: a primary and two replicas. */
const NODES_OF_AN_INSTANCE = 3;

/**
 * A config of so many nodes, from the node of this index on; `kindOf` says at which port each is. Windows are those of a real fleet: closed
 * now for most, of several calendars.
 */
export function fleetConfig(count: number, ports: Ports, kindOf: (index: number) => Kind, from = 0): string {
  const urlOf = (index: number) => {
    const kind = kindOf(index);
    const port = kind === 'silent' ? ports.silent : kind === 'refusing' ? ports.closed : ports.answering;
    return `redis://${addressOf(index)}:${port}`;
  };
  const instances = Array.from({ length: Math.ceil(count / NODES_OF_AN_INSTANCE) }, (_, at) => {
    const first = from + at * NODES_OF_AN_INSTANCE;
    const nodes = Array.from({ length: Math.min(NODES_OF_AN_INSTANCE, from + count - first) }, (_, n) => first + n);
    const isActing = nodes.some((index) => kindOf(index) === 'acting');
    return `  - id: app-${first}
    nodes: [${nodes.map((index) => `"${urlOf(index)}"`).join(', ')}]
    timezone: ${isActing ? 'UTC' : ZONES[at % ZONES.length]}
    windows: [{ days: ${isActing ? 'daily, start: "00:00", duration: 24h' : `[${DAYS[at % DAYS.length]}], start: "02:30", duration: 30m`} }]
`;
  });
  return `maxDefragsAtOnce: 8\nnotifications: { digest: never }\ninstances:\n${instances.join('')}`;
}

const ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'UTC'];
const DAYS = ['sun', 'sat', 'tue'];
