import { EXIT } from './exit.ts';

/**
 * Ctrl-C, SIGTERM, a terminal that is closed, or a reader of stdout that is gone (`| head`) ask once: what is under way is
 * finished, settings are restored. The second signal ends the process at once.
 */
export function interruption(onFirst: () => void): AbortController {
  const controller = new AbortController();
  const interrupt = (): void => {
    controller.abort(new Error('interrupted'));
    onFirst();
  };
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    interrupt();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  process.stdout.on('error', () => {
    if (!controller.signal.aborted) interrupt();
  });
  return controller;
}
