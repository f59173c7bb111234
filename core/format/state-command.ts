/**
 * A command about the state of a stage, with what the reader has to put in: a job does not know where the reader keeps the config, and the command
 * would act on a file beside it unless STATE_TABLE names the table of a deployed job.
 */
export function stateCommand(stage: string, ...words: readonly string[]): string {
  const command = ['npx', 'offpeak', ...words, '-c', '…'].join(' ');
  return `\`${command}\` (with the config of ${stage}; of a deployed job also with STATE_TABLE set to its table)`;
}
