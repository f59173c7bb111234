/** Cases of each property: more by night (`FUZZ_RUNS=20000 npx vitest run --project job test/fuzz`). */
export const RUNS = Number(process.env.FUZZ_RUNS ?? 500);
