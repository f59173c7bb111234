import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { describeWithMoto, startMoto } from './moto.ts';

const answers = (url: string) =>
  fetch(`${url}/moto-api/data.json`).then(
    (response) => response.status === 200,
    () => false,
  );

/** A process that starts moto, prints its URL, and stays. */
const OWNER = `
  const { startMoto } = await import(process.argv[1]);
  console.log((await startMoto()).url);
  setInterval(() => {}, 1000);
`;

describeWithMoto('moto', () => {
  test('answers once it is started, and no longer after stop', async () => {
    const moto = await startMoto();
    expect(await answers(moto.url)).toBe(true);
    await moto.stop();
    await vi.waitFor(async () => expect(await answers(moto.url)).toBe(false), 10_000);
    await moto.stop();
  });

  test('ends with the process that started it, even by kill -9', async () => {
    const support = fileURLToPath(new URL('./moto.ts', import.meta.url));
    const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER, support], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await Promise.race([once(owner.stdout, 'data'), once(owner.stdout, 'end')]);
    const url = String(line).trim();
    const answered = await answers(url);
    owner.kill('SIGKILL');
    expect(answered).toBe(true);
    await vi.waitFor(async () => expect(await answers(url)).toBe(false), 10_000);
  });
});
