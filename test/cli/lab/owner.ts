/**
 * A process that starts a server and says its pid and folder, for the tests that end the owner in every way.
 * Arguments: the binary as JSON; `stay` or `leave`.
 */
import { readlink } from 'node:fs/promises';
import { startServer } from '../../../cli/lab/start.ts';

const [, , binary = '{}', then] = process.argv;
const server = await startServer(JSON.parse(binary));
process.stdout.write(`${JSON.stringify({ pid: server.pid, folder: await readlink(`/proc/${server.pid}/cwd`) })}\n`);
if (then === 'stay') setInterval(() => {}, 1_000);
