import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { addReport, addRules, addStack } from './offline-commands.ts';
import { addDemo, addLab } from './own-servers.ts';
import { addAudit, addCheck, addInit, addKeys } from './server-commands.ts';
import { addDiscover, addHistory, addPause, addRelease, addResume, addStatus } from './state-commands.ts';
import { addPlan, addRun } from './tick-commands.ts';

// Only what the help needs: a command loads what it runs when it runs, so that --help and --version are quick.

export function createProgram(): Command {
  const program = new Command('offpeak')
    .description(
      'Keeps the memory of Redis and Valkey servers tidy. Breaks RSS down, says which action applies and how much it' +
        ' returns, and runs it in a maintenance window, within the latency limit that you set.',
    )
    .version(manifest.version)
    .showHelpAfterError('(npx offpeak --help lists commands and options)')
    .exitOverride()
    .addHelpText('after', EXAMPLES);
  for (const add of [
    addCheck,
    addKeys,
    addAudit,
    addInit,
    addPlan,
    addRun,
    addDiscover,
    addStatus,
    addHistory,
    addPause,
    addResume,
    addRelease,
    addDemo,
    addLab,
    addReport,
    addStack,
    addRules,
  ])
    add(program);
  return program;
}

const EXAMPLES = `
Examples:
  $ npx offpeak demo                                 fragments a Redis of its own and defragments it
  $ npx offpeak lab                                  what does each remedy return? On servers of its own
  $ npx offpeak check redis://127.0.0.1:6379         where does the memory of this server go?
  $ npx offpeak init redis://127.0.0.1:6379 -o config/prod.yml    writes a config for this server
  $ npx offpeak check -c config/prod.yml             where does the memory go? Changes nothing
  $ npx offpeak keys redis://127.0.0.1:6379          which keys take the memory, and what would take less?
  $ npx offpeak audit redis://127.0.0.1:6379         what should be changed on this server?
  $ npx offpeak plan -c config/prod.yml              what would Offpeak do now, and why?
  $ npx offpeak plan -c config/prod.yml --at 2026-11-24T02:30:00+01:00
  $ npx offpeak run -c config/prod.yml               one tick, as the schedule runs it
  $ npx offpeak run -c config/prod.yml --until-idle  ticks until every defrag has ended
  $ npx offpeak run -c config/prod.yml -i sessions --now    an incident: act outside of the window, after a question
  $ npx offpeak discover -c config/prod.yml          which nodes do clusters and sentinels name now?
  $ npx offpeak status -c config/prod.yml            defrags that are on, pauses, last results, next windows
  $ npx offpeak rules -c config/prod.yml > offpeak-rules.yml    for Prometheus; --grafana for a dashboard
  $ npx offpeak pause sessions --for 4h --reason "load test" -c config/prod.yml
  $ STATE_TABLE=… npx offpeak release -c config/prod.yml    stops the defrags of a deployed job

Exit status: 0 fine, 1 a node failed or was unreachable, 2 usage or config, 3 run left a defrag on, 130 interrupted.`;
