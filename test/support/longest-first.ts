import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const TESTS = join(import.meta.dirname, '..');

/**
 * Files that take long, the longest first: begun last, one of them would be waited for by itself. Most of them wait; those that compute stand
 * between them.
 */
const LONGEST: readonly string[] = [
  'integration/cli-lab.test.ts',
  'integration/aws/parameter-groups-killed.test.ts',
  'model/troubles.test.ts',
  'integration/aws/parameter-groups.test.ts',
  'integration/keys.test.ts',
  'integration/looks.test.ts',
  'integration/clock-jumps.test.ts',
  'model/model.test.ts',
  'integration/cli-demo.test.ts',
  'integration/cli-interrupt.test.ts',
  'integration/aws/fleets.test.ts',
  'integration/pause.test.ts',
  'model/every-effect.test.ts',
  'integration/discovery-cluster.test.ts',
  'integration/left-on.test.ts',
  'integration/storm.test.ts',
  'integration/cli-audit.test.ts',
  'integration/cli-run.test.ts',
  'integration/unlisted.test.ts',
  'integration/state/dynamo-store.test.ts',
  'integration/cli-now.test.ts',
  'integration/guards.test.ts',
  'integration/descriptors.test.ts',
  'fuzz/hostile.test.ts',
  'integration/defrag-unsupported.test.ts',
  'integration/discovery-time.test.ts',
  'integration/job.test.ts',
  'integration/hostile-values.test.ts',
  'integration/refused-config.test.ts',
  'integration/discovery-sentinel.test.ts',
  'integration/workers-cluster.test.ts',
  'fuzz/config.test.ts',
  'integration/cli-plan.test.ts',
  'integration/handler-failures.test.ts',
  'integration/aws/cloudwatch.test.ts',
  'scripts/release.test.ts',
];

/** These first, the others as Vitest has them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const unknown = LONGEST.filter((file) => !existsSync(join(TESTS, file)));
    if (unknown.length > 0) throw new Error(`longest-first.ts names files that are not there: ${unknown.join(', ')}`);
    const rankOf = ({ moduleId }: TestSpecification) => {
      const rank = LONGEST.indexOf(relative(TESTS, moduleId));
      return rank < 0 ? LONGEST.length : rank;
    };
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}
