import { wordsOf } from '../../actions/registry.ts';
import type { InstanceConfig } from '../../config/schema.ts';
import type { AlertFact } from '../../domain/alert.ts';
import type { NodeChange } from '../../domain/discovered.ts';
import type { Notice } from '../../domain/notice.ts';
import { latestIn, type Outcome } from '../../domain/outcome.ts';
import { sentence, unworded } from '../../format/units.ts';
import { noticeText, settingsText } from '../wording/result.ts';
import { type Draft, limitFigure, nodeFacts, settingsFact } from './draft.ts';

type ActionFailed = Extract<Notice, { kind: 'action-failed' }>;
type NodeNotice = Exclude<Notice, { kind: 'state-unavailable' }>;

/** What a notice says, beside the plan and the verdict of the node. */
export function noticeDraft(notice: NodeNotice, outcome: Outcome, config: InstanceConfig | undefined): Draft {
  const common = { why: sentence(noticeText(notice)), figures: limitFigure(config) };
  const facts = nodeFacts(outcome);
  switch (notice.kind) {
    case 'foreign-defrag':
      return {
        event: 'foreign-defrag',
        severity: 'info',
        title: 'active defrag is on, and Offpeak did not start it',
        facts: [...settingsFact(latestIn(outcome)?.observation.defrag.settings), ...facts],
        next: 'Offpeak leaves it on and starts no defrag here; purges continue. To end it, type on the server: CONFIG SET activedefrag no.',
        ...common,
        why: "A person, the server's config file, a parameter group, or Offpeak from another stage or terminal switched it on.",
      };
    case 'defrag-unsupported':
      return {
        event: 'defrag-unsupported',
        severity: 'info',
        title: 'this build refuses active defrag',
        facts,
        next: "To return fragmented memory, install a build with the bundled jemalloc (from the project's source: make MALLOC=jemalloc; Debian's packages use the system's jemalloc), or restart the server. To end this check, set defrag.enabled to false.",
        ...common,
      };
    case 'settings-changed':
      return changedDraft(notice, facts, common);
    case 'config-rewritten':
      return rewrittenDraft(notice, facts, common);
    case 'left-on':
      return leftOnDraft(notice, facts, common);
    case 'same-server':
      return {
        event: 'same-server',
        severity: 'warning',
        title: `${outcome.node} and ${notice.as} are the same server`,
        facts,
        next: 'Remove one of the two addresses from the config.',
        ...common,
        why: `Both addresses lead to one server (same run_id). Offpeak acts on ${notice.as} only.`,
      };
    case 'action-failed':
      return failedDraft(notice, facts, config);
  }
  throw new TypeError(unworded(notice));
}

function changedDraft(
  { leftAlone }: Extract<Notice, { kind: 'settings-changed' }>,
  facts: readonly AlertFact[],
  common: Pick<Draft, 'figures'>,
): Draft {
  return {
    ...common,
    event: 'settings-changed',
    severity: 'warning',
    title: "a person or another program changed settings during Offpeak's defrag",
    why: `These settings stay as they are: ${settingsText(leftAlone)}.`,
    facts: [...Object.entries(leftAlone).map(([label, value]) => ({ label, value })), ...facts],
    next: 'Check that these values are intended. Offpeak does not restore the earlier values over them.',
  };
}

function rewrittenDraft(
  { isSeen }: Extract<Notice, { kind: 'config-rewritten' }>,
  facts: readonly AlertFact[],
  common: Pick<Draft, 'why' | 'figures'>,
): Draft {
  return {
    event: 'config-rewritten',
    severity: 'warning',
    title: `${isSeen ? '' : 'probably '}Offpeak's settings are in the config file`,
    facts,
    next: 'Type CONFIG REWRITE on the server again: it writes the restored settings. Until then, a restart switches active defrag on. Offpeak then recognises its settings and restores the earlier ones.',
    ...common,
  };
}

/** Restored, or for a person to restore: only the record of an earlier lease says what the settings were before. */
function leftOnDraft(
  { standing, restored, typed }: Extract<Notice, { kind: 'left-on' }>,
  facts: readonly AlertFact[],
  common: Pick<Draft, 'why' | 'figures'>,
): Draft {
  const rewritten = 'If the config file holds them, too, type CONFIG REWRITE afterwards.';
  return {
    event: 'left-on',
    severity: 'warning',
    title: restored
      ? "Offpeak's settings were still on, and Offpeak has restored the earlier ones"
      : "settings that look like Offpeak's are on",
    facts: [...settingsFact(restored ?? standing), ...facts],
    next: restored
      ? "Type CONFIG REWRITE on the server. An earlier CONFIG REWRITE has put Offpeak's settings into its config file, and a restart would load them again."
      : `If no person has set them, type on the server:\n${typed}\n${rewritten} Until then Offpeak starts no defrag here while active defrag is on, and repeats this message once a day.`,
    ...common,
  };
}

function failedDraft(notice: ActionFailed, facts: readonly AlertFact[], config: InstanceConfig | undefined): Draft {
  const { doing } = notice;
  const { title, severity, next } = wordsOf(doing).failed;
  return {
    event: 'action-failed',
    severity,
    title,
    why: sentence(noticeText(notice)),
    facts,
    next: next(config !== undefined),
    figures: limitFigure(config),
    detail: doing,
  };
}

/** Once for each change: a node that comes back is a new one. */
export function changeDraft({ kind, node }: NodeChange): Draft {
  return { event: kind, facts: [], ...CHANGES[kind](node) };
}

const CHANGES: Readonly<
  Record<NodeChange['kind'], (node: string) => Pick<Draft, 'severity' | 'title' | 'why' | 'next'>>
> = {
  'node-found': (node) => ({
    severity: 'info',
    title: `${node} was found`,
    why: 'Its discovery names this node now, and did not before.',
    next: 'Offpeak watches it from now on, with the settings of its instance.',
  }),
  'node-gone': (node) => ({
    severity: 'info',
    title: `${node} is gone`,
    why: 'Its discovery does not name this node any more.',
    next: 'Nothing, if it was taken out or replaced. Offpeak watches it no more; what Offpeak has learned of it is kept for 90 days.',
  }),
  'node-unlisted': (node) => ({
    severity: 'warning',
    title: `${node} is not in the config`,
    why: 'It is in the Cluster of this instance, or replicates one of its nodes, and no instance of the config names it.',
    next: 'Add it to the nodes of its instance, or let Offpeak find the nodes: discover.cluster with a seed, discover.sentinel with the sentinels. Until then Offpeak does not watch it.',
  }),
};

/** Without the store nothing starts, and only a process that has read a lease before can end its defrag. */
export function stateDraft(why: string, nodes: readonly string[]): Draft {
  return {
    event: 'state-unavailable',
    severity: 'critical',
    title: 'Offpeak starts nothing, because it cannot read or write its state',
    why: sentence(noticeText({ kind: 'state-unavailable', why })),
    facts: nodes.length === 0 ? [] : [{ label: 'Nodes', value: nodes.join(', ') }],
    next: 'Repair the store. Until then Offpeak starts nothing. A defrag that is on may stay on after its time. To end it now, type on the server: CONFIG SET activedefrag no. Offpeak restores the other settings once it can read its state.',
  };
}
