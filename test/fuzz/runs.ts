/** Cases of each property; more of them, and new ones, by `npm run test:nightly`. */
export const RUNS = Number(process.env.FUZZ_RUNS ?? 500);

/** So much of them for what takes longer than the others. */
export const runs = (share: number): number => Math.max(1, Math.round(RUNS * share));
