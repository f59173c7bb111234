import type { Settings } from './observation.ts';
import type { Steps } from './plan.ts';

/** What an alert says of a node besides its outcome. */
export type Notice =
  /** `areLeasesUnknown`: no state was read, so that it may be Offpeak's. */
  | { readonly kind: 'foreign-defrag'; readonly areLeasesUnknown?: true }
  | { readonly kind: 'defrag-unsupported' }
  | { readonly kind: 'settings-changed'; readonly leftAlone: Settings }
  /** A CONFIG REWRITE has put Offpeak's settings into the config file. `isSeen`: counted; else presumed from a failover. */
  | { readonly kind: 'config-rewritten'; readonly isSeen: boolean }
  /** Settings as Offpeak sets them, without a lease. `restored`: restored from the record of an earlier lease. */
  | {
      readonly kind: 'left-on';
      readonly standing: Settings;
      readonly restored?: Settings;
      readonly typed?: string;
      readonly areLeasesUnknown?: true;
    }
  /** The same server as another node of the config. */
  | { readonly kind: 'same-server'; readonly as: string }
  | { readonly kind: 'action-failed'; readonly doing: keyof Steps; readonly why: string }
  | { readonly kind: 'state-unavailable'; readonly why: string };
