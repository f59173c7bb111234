import type { PlaceOptions } from './options.ts';
import type { TlsOptions } from './tls-options.ts';

/** A command that a reader can copy: the words, and the config, stage and state that this one was given. */
export type CommandLine = (...words: readonly string[]) => string;

/** @param ids of `--instance`, where the command is to be about the same ones */
export function commandLineFor({ config, stage, state }: PlaceOptions, ids: readonly string[] = []): CommandLine {
  const place = [
    ...(ids.length > 0 ? ['-i', ...ids] : []),
    ...['-c', config, ...(stage ? ['--stage', stage] : []), ...(state ? ['--state', state] : [])],
  ];
  return (...words) => commandText(...words, ...place);
}

/** The words of a command, as they can be copied into a shell. */
export function commandText(...words: readonly string[]): string {
  return ['npx', 'offpeak', ...words].map(quoted).join(' ');
}

interface Typed extends TlsOptions {
  readonly memoryLimit?: string;
}

/** The addresses and options that were typed, for another command about the same servers. A password is not repeated. */
export function typedAgain(addresses: readonly string[], { memoryLimit, cacert, cert, key }: Typed): readonly string[] {
  const options = Object.entries({ 'memory-limit': memoryLimit, cacert, cert, key });
  const isOpen = addresses.every((address) => !/[@?#]/.test(address));
  return [
    ...(isOpen ? addresses : ['redis://…']),
    ...options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value])),
  ];
}

/** As a POSIX shell reads it. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
