import type { AlertEvent } from '../../core/domain/alert.ts';

/** Every event of the contract. A new one does not compile until it stands here, and fails the tests until it has a sample and a runbook. */
export const ALERT_EVENTS = Object.keys({
  purged: true,
  'defrag-started': true,
  'defrag-finished': true,
  'defrag-aborted': true,
  'action-failed': true,
  'action-ineffective': true,
  'foreign-defrag': true,
  'defrag-unsupported': true,
  'lease-lost': true,
  'settings-changed': true,
  'config-rewritten': true,
  'left-on': true,
  'same-server': true,
  'node-found': true,
  'node-gone': true,
  'node-unlisted': true,
  'trouble-began': true,
  'trouble-over': true,
  'state-unavailable': true,
} satisfies Record<Exclude<AlertEvent, 'several' | 'nightly-digest'>, true>);
