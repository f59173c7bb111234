import { wordsOf } from '../../actions/registry.ts';
import type { InstanceConfig } from '../../config/schema.ts';
import type { AlertFact } from '../../domain/alert.ts';
import { latestIn, type Notice, type Outcome } from '../../domain/outcome.ts';
import { sentence, unworded } from '../../format/units.ts';
import { noticeText } from '../wording/result.ts';
import { type Draft, limitFigure, nodeFacts, settingsFact } from './draft.ts';

type ActionFailed = Extract<Notice, { kind: 'action-failed' }>;
type NodeNotice = Exclude<Notice, { kind: 'state-unavailable' }>;

/** What must be told about a node besides its plan and its verdict. */
export function noticeDraft(notice: NodeNotice, outcome: Outcome, config: InstanceConfig | undefined): Draft {
  const common = { why: sentence(noticeText(notice)), figures: limitFigure(config) };
  const facts = nodeFacts(outcome);
  switch (notice.kind) {
    case 'foreign-defrag':
      return {
        event: 'foreign-defrag',
        severity: 'info',
        title: 'active defrag is on, and not by us',
        facts: [...settingsFact(latestIn(outcome)?.observation.defrag.settings), ...facts],
        next: 'Offpeak leaves it on and starts no defrag of its own; purges go on. If it is not wanted, CONFIG SET activedefrag no ends it.',
        ...common,
      };
    case 'defrag-unsupported':
      return {
        event: 'defrag-unsupported',
        severity: 'info',
        title: 'this build refuses active defrag',
        facts,
        next: "To close the holes, install a build with the bundled jemalloc (make MALLOC=jemalloc from the project's source; Debian's packages use the system's jemalloc), or restart the server. To stop looking, set defrag.enabled to false.",
        ...common,
      };
    case 'settings-changed':
      return {
        event: 'settings-changed',
        severity: 'warning',
        title: 'settings were changed by somebody else during our defrag',
        facts: [...changedFacts(notice), ...facts],
        next: 'Check that these values are meant: what they were before our defrag is not restored over them.',
        ...common,
      };
    case 'config-rewritten':
      return {
        event: 'config-rewritten',
        severity: 'warning',
        title: `${notice.isSeen ? '' : 'probably '}our settings are in the config file`,
        facts,
        next: 'Type CONFIG REWRITE on the server once more: it writes the restored settings. Until then a restart switches active defrag on; Offpeak then knows its own settings and gives them back.',
        ...common,
      };
    case 'left-on':
      return leftOnDraft(notice, facts, common);
    case 'same-server':
      return {
        event: 'same-server',
        severity: 'warning',
        title: `${outcome.node} and ${notice.as} are one server`,
        facts,
        next: `Remove one of the two addresses from the config. Until then Offpeak acts on this server as ${notice.as} only.`,
        ...common,
      };
    case 'action-failed':
      return failedDraft(notice, facts, config);
  }
  throw new TypeError(unworded(notice));
}

/** Given back, or for a person to give back: what stood there before is known by a record only. */
function leftOnDraft(
  { standing, restored, typed }: Extract<Notice, { kind: 'left-on' }>,
  facts: readonly AlertFact[],
  common: Pick<Draft, 'why' | 'figures'>,
): Draft {
  const rewritten = 'If they stand in the config file, too, type CONFIG REWRITE afterwards.';
  return {
    event: 'left-on',
    severity: 'warning',
    title: restored
      ? 'settings of Offpeak were still on, and are given back'
      : 'settings of Offpeak are on without a lease',
    facts: [...settingsFact(restored ?? standing), ...facts],
    next: restored
      ? 'Type CONFIG REWRITE on the server: an earlier one has put these settings into its config file, and a restart would bring them back.'
      : `If no person has set them, type on the server:\n${typed}\n${rewritten} Until then Offpeak starts no active defrag there while it is on, and says so once a day.`,
    ...common,
  };
}

function changedFacts({ leftAlone }: Extract<Notice, { kind: 'settings-changed' }>): readonly AlertFact[] {
  return Object.entries(leftAlone).map(([label, value]) => ({ label, value }));
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

/** Nothing may be started without the store, and what was started is known only to those who have seen it. */
export function stateDraft(why: string, nodes: readonly string[]): Draft {
  return {
    event: 'state-unavailable',
    severity: 'critical',
    title: 'no action, the state store is unavailable',
    why: sentence(noticeText({ kind: 'state-unavailable', why })),
    facts: nodes.length === 0 ? [] : [{ label: 'Nodes', value: nodes.join(', ') }],
    next: 'Repair the store. Until then nothing is started, and a defrag of ours is ended when its time comes only as far as a running job still knows of it.',
  };
}
