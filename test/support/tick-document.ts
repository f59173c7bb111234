import type { MemoryAccount } from '../../core/domain/account.ts';
import type { Blocker } from '../../core/domain/blocker.ts';
import type { Finding } from '../../core/domain/diagnosis.ts';
import type { Problem, Status } from '../../core/domain/outcome.ts';
import type { Step } from '../../core/domain/plan.ts';
import type { Prediction } from '../../core/domain/prediction.ts';
import type { Verdict } from '../../core/domain/verdict.ts';

/** What `--json` prints for a tick, as the readers of the command line know it. */
export interface TickDocument {
  readonly at: string;
  readonly stage: string;
  readonly outcomes: readonly OutcomeDocument[];
  readonly leasesHeld: number;
  readonly leases?: readonly {
    readonly instance: string;
    readonly node: string;
    readonly until?: string;
    readonly commands: { readonly follow: string; readonly release: string };
  }[];
  readonly alerts: readonly { readonly event: string; readonly severity: string; readonly title: string }[];
  readonly problem?: string;
}

interface OutcomeDocument {
  readonly instance: string;
  readonly node: string;
  readonly status: Status;
  readonly verdict?: Verdict;
  readonly problem?: Problem;
  readonly leased: boolean;
  readonly pause?: { readonly until: string; readonly reason: string; readonly by: string };
  readonly memory?: Readonly<Partial<Record<'used' | 'rss' | 'counted' | 'limit' | 'ratio', number>>>;
  readonly diagnosis?: {
    readonly verdict: 'healthy' | 'findings';
    readonly account?: MemoryAccount;
    readonly layers?: Readonly<Record<'data' | 'fragmentation' | 'freePages' | 'overhead', number>>;
    readonly findings: readonly (Finding & { readonly text: string })[];
    readonly predictions?: {
      readonly defrag: { readonly reclaim: number; readonly text: string };
      readonly purge: { readonly reclaim: number; readonly stall: number; readonly text: string };
    };
  };
  readonly notes?: readonly string[];
  readonly plan?: {
    readonly kind: 'act' | 'skip';
    readonly action?: Step;
    readonly reason: string;
    readonly why: string;
    readonly predicted?: Prediction;
    readonly blockers?: readonly Blocker[];
  };
}

/** Every step in order: the action where one was planned, the reason where none was. */
export function stepsOf(documents: readonly TickDocument[]): readonly string[] {
  return documents.flatMap(({ outcomes }) =>
    outcomes.map(({ plan, status }) => plan?.action?.kind ?? plan?.reason ?? status),
  );
}

export function alertsOf(documents: readonly TickDocument[]): readonly string[] {
  return documents.flatMap(({ alerts }) => alerts.map(({ event }) => event));
}
