import { execFileSync } from 'node:child_process';

/**
 * `npm run check:commits` (or with a range, `-- main..HEAD`): every subject has 72 characters at most, so that `git log --oneline` and
 * the lists of a forge show it whole. Older commits are left as they are.
 */
const LONGEST = 72;
const RULE_SINCE = '2026-11-26T12:00:00Z';

const [range] = process.argv.slice(2);
const chosen = range === undefined ? [`--since=${RULE_SINCE}`] : [range];
const log = execFileSync('git', ['log', '--no-merges', '--format=%h %s', ...chosen], { encoding: 'utf8' });

const tooLong = log
  .split('\n')
  .map((line) => ({ line, length: [...line.slice(line.indexOf(' ') + 1)].length }))
  .filter(({ length }) => length > LONGEST);

if (tooLong.length > 0) {
  const lines = tooLong.map(({ line, length }) => `${line} (${length})`);
  process.stderr.write(`Subjects of commits have at most ${LONGEST} characters:\n${lines.join('\n')}\n`);
  process.exitCode = 1;
}
