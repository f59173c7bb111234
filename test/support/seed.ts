import fc from 'fast-check';
import { runs } from '../fuzz/runs.ts';

/**
 * Generated cases are the same in every run of `npm test`, so that one that turns red does so by a change; `npm run test:nightly` looks
 * at new ones. SEED names others.
 */
fc.configureGlobal({ seed: Number(process.env.SEED ?? 20_261_125), numRuns: runs(0.1) });
