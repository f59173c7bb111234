import type { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import { demo } from '../lab/demo/demo.ts';

export function addDemo(program: Command): void {
  program
    .command('demo')
    .summary('fragment a Redis of its own, and tidy it up')
    .description(
      'Obtains a Redis that can defragment (REDIS_SERVER, the cache, the PATH, npm, or a build from Debian source, about a' +
        ' minute once), starts it on a free loopback port, fragments it, and runs the job on it, tick by tick. Leaves nothing behind.',
    )
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .action(async (options: { readonly color: boolean }) => {
      const { signal } = interruption(() => process.stderr.write('\noffpeak: interrupted: cleaning up\n'));
      try {
        process.exitCode = (await demo({ ...options, signal })) ? EXIT.fine : EXIT.failed;
      } catch (error) {
        if (!signal.aborted) throw error;
        process.exitCode = EXIT.interrupted;
      }
    });
}
