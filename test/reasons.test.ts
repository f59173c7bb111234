import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BlockerKind } from '../core/domain/blocker.ts';
import type { SkipReason, StopReason } from '../core/domain/plan.ts';

const RUNBOOK = readFileSync(join(import.meta.dirname, '../docs/runbook.md'), 'utf8');

/** Why a plan does nothing, or a run ends. A new reason fails to compile until it stands here, and the runbook has to say what to do. */
const SKIPS = Object.keys({
  healthy: true,
  disabled: true,
  defragmenting: true,
  'foreign-defrag': true,
  'left-on': true,
  unsupported: true,
  'not-defraggable': true,
  'denied-version': true,
  'config-refused': true,
  'by-group': true,
  'odd-settings': true,
  'purge-refused': true,
  'no-layers': true,
  'would-block': true,
  'would-stall': true,
  paused: true,
  'outside-window': true,
  holiday: true,
  changed: true,
  interrupted: true,
  'state-unavailable': true,
  'unknown-engine': true,
  loading: true,
  forking: true,
  'persistence-failing': true,
  'swapped-out': true,
  'replica-syncing': true,
  'replica-behind': true,
  'peers-silent': true,
  'replicas-missing': true,
  'watch-only': true,
  undiscovered: true,
  'group-changing': true,
  'aws-maintenance': true,
  'aws-snapshot': true,
  'slots-migrating': true,
  'cluster-down': true,
  'cluster-refused': true,
  'clients-paused': true,
  'module-types': true,
  'stage-limit': true,
  'group-limit': true,
  'host-acting': true,
  'version-fell': true,
  'version-unseen': true,
  'feeding-full-sync': true,
  failover: true,
  'lazyfree-pending': true,
  rehashing: true,
  'eviction-pressure': true,
  'just-restarted': true,
  busy: true,
  'peer-acting': true,
  'canary-died': true,
  'cooling-down': true,
  'same-server': true,
  'not-enough-time': true,
  'too-long': true,
} satisfies Record<SkipReason, true>);
const STOPS = Object.keys({
  'window-closed': true,
  'duration-spent': true,
  'stall-spent': true,
  'switched-off': true,
  'server-restarted': true,
  'never-started': true,
  paused: true,
  disabled: true,
  interrupted: true,
  released: true,
  'newer-version': true,
} satisfies Record<Exclude<StopReason, BlockerKind | 'goal-met' | 'no-progress'>, true>);

describe('the runbook', () => {
  const rowsOf = (heading: string) =>
    (new RegExp(`^## ${heading}\\n(?:(?!^#)[^])*`, 'm').exec(RUNBOOK) ?? [''])[0]
      .split('\n')
      .flatMap((line) => /^\|([^|]+)\|/.exec(line)?.[1] ?? []);

  test.each(SKIPS)('says what to do where the plan gives the reason %s', (reason) => {
    expect(rowsOf('What the plan says, and what to do').join()).toContain(`\`${reason}\``);
  });

  test.each(STOPS)('says what to do where a run ended because of %s', (reason) => {
    expect(rowsOf('Defrag aborted').join()).toContain(`\`${reason}\``);
  });
});
