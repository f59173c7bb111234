/** Cases of each property; more of them, and new ones, by `npm run test:nightly`. */
export const RUNS = Number(process.env.FUZZ_RUNS ?? 500);
