import { EXIT } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import { demo } from '../lab/demo/demo.ts';

export async function runDemo(options: { readonly color: boolean }): Promise<void> {
  const { signal } = interruption(() => process.stderr.write('\noffpeak: interrupted: cleaning up\n'));
  try {
    process.exitCode = (await demo({ ...options, signal })) ? EXIT.fine : EXIT.failed;
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = EXIT.interrupted;
  }
}
