import { expect, test } from 'vitest';
import { strayPauseText } from '../../../../core/format/pause.ts';
import { stateCommand } from '../../../../core/format/state-command.ts';
import { NOW } from '../../../support/builders.ts';

test('a command about a state says which config and which table to put in, and names no file that may not be there', () => {
  const text = stateCommand('prod', 'resume', 'carts');
  expect(text).toMatch(/^`npx offpeak resume carts -c …` \(with the config of prod; .*STATE_TABLE/);
  expect(text).not.toContain('.yml');
});

test('a pause of an instance that is gone says how to remove it', () => {
  const pause = { at: NOW, until: NOW, reason: 'move', by: 'alice' };
  expect(strayPauseText('old', pause, [], { stage: 'prod' })).toMatch(
    /: it pauses nothing\. `npx offpeak resume old -c …` \(.*\) removes it$/,
  );
});
