/**
 * What Offpeak sends to people through SNS: events. A state (fragmentation high, RSS near the limit, a node that does not
 * answer, the job not running) is a CloudWatch alarm, which has the state machine for it; in a large fleet, the job itself sends when a state of a
 * node has lasted and when it is over. Nothing is sent twice.
 */
export const ALERT_SCHEMA = 'offpeak/alert@1';

export type Severity = 'info' | 'warning' | 'critical';

export type AlertEvent =
  /** MEMORY PURGE was run and measured. */
  | 'purged'
  | 'defrag-started'
  /** The goal was met, settings restored. */
  | 'defrag-finished'
  /** Stopped before the goal (window closed, budget spent, guard, no progress), settings restored. */
  | 'defrag-aborted'
  /** An action could not be carried out, or its outcome is unknown. */
  | 'action-failed'
  /** It was carried out and returned too little to be worth repeating. */
  | 'action-ineffective'
  /** activedefrag is on, and Offpeak has no lease there: it is left on. */
  | 'foreign-defrag'
  /** The server's build refuses active defrag; sent once for each run of the server. */
  | 'defrag-unsupported'
  /** The server restarted during Offpeak's defrag, which removed its volatile settings. */
  | 'lease-lost'
  /** A setting that Offpeak had changed has neither Offpeak's value nor the prior one: a person's, left alone. */
  | 'settings-changed'
  /** A CONFIG REWRITE during Offpeak's defrag has put its settings into the server's config file: a restart would load them. */
  | 'config-rewritten'
  /** A server has settings as Offpeak sets them, and Offpeak has no lease there. */
  | 'left-on'
  /** Two nodes of the config are the same server: Offpeak acts on it under one of the addresses only. */
  | 'same-server'
  /** A discovery has found a node that was not there before; it is watched from now on. */
  | 'node-found'
  /** A node that a discovery had found is there no more. */
  | 'node-gone'
  /** A node of an instance's Cluster, or a replica of its nodes, is not in the config. */
  | 'node-unlisted'
  /** A state of a node has lasted for as long as the config says. Only where no alarm of its own watches the node. */
  | 'trouble-began'
  /** It is over. */
  | 'trouble-over'
  /** The state store could not be read or written: no action was taken. */
  | 'state-unavailable'
  /** A digest of events of several kinds. */
  | 'several'
  /** What a night brought: the infos, which wait for its end, and what was sent on its own. */
  | 'nightly-digest';

/** One line of an alert: a label and its value, both in words for people. */
export interface AlertFact {
  readonly label: string;
  readonly value: string;
  /** The figure that this line says in words: who draws the figures leaves the line out. */
  readonly figure?: keyof AlertFigures;
}

/** The same facts as numbers, for those who filter or draw. Bytes and milliseconds. */
export interface AlertFigures {
  readonly rssBefore?: number;
  readonly rssAfter?: number;
  readonly predictedBytes?: number;
  readonly returnedBytes?: number;
  /** The longest time for which clients were kept waiting, and what was promised. */
  readonly stallMs?: number;
  readonly promisedStallMs?: number;
  readonly memoryLimit?: number;
}

/**
 * A chat shows this many nodes of a digest in one message, and the rest in further messages. The job uses the number when it divides events
 * into digests.
 */
export const NODES_A_MESSAGE = 150;

/** One of the events that a digest stands for. */
export interface AlertMember {
  /** The id of the alert that it would be by itself, by which a repeated event is recognised. */
  readonly id: string;
  readonly event: AlertEvent;
  readonly instance: string;
  readonly node: string;
  /** How it differs from the others, in words. Empty where the digest says it for all of them, or is too large for it. */
  readonly what: string;
}

/** An event of one node; with `members`, a digest: the events of many nodes in one message, all of the same severity. */
export interface Alert {
  readonly schema: typeof ALERT_SCHEMA;
  /** The same for a repeated delivery of the same event. */
  readonly id: string;
  readonly event: AlertEvent;
  readonly severity: Severity;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly stage: string;
  readonly instance: string;
  readonly node: string;
  /** One line: what happened, to what, by how much. */
  readonly title: string;
  /** Why it was done, or why it was not. */
  readonly why: string;
  readonly facts: readonly AlertFact[];
  /** What happens next, and what (if anything) a person has to do. */
  readonly next: string;
  readonly figures?: AlertFigures;
  /** Only in a digest, whose `instance` and `node` are `all` where they are not the same for all of them. */
  readonly members?: readonly AlertMember[];
}
