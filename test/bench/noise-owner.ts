/**
 * A process that disturbs another one, says so, and stays, for the tests that end the owner in every way.
 * Arguments: the kind of noise; the pid that it disturbs.
 */
import { type NoiseKind, startNoise } from '../../bench/night/noise/start.ts';

const [kind = 'none', pid = '0'] = process.argv.slice(2);
// Another seed makes no difference: a stop is never more than some seconds away.
await startNoise(kind as NoiseKind, Number(pid), 1);
process.stdout.write('begun\n');
setInterval(() => {}, 1000);
