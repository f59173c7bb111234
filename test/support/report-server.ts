import { SETTINGS } from './builders.ts';
import { bulk, type OddServer, OK, respServer } from './odd-server.ts';

interface ReportServer extends OddServer {
  /** Commands other than questions, as they came. */
  readonly deeds: readonly string[];
}

const REFUSED = "-ERR unknown command 'CONFIG'\r\n";

/** `CONFIG` but for GET: the job asks whether it could set, and is told that it cannot. */
const ANSWERS: Readonly<Record<string, string | Buffer>> = {
  INFO: bulk(''),
  LATENCY: '*0\r\n',
  PING: OK,
  AUTH: OK,
  CLIENT: OK,
  CONFIG: REFUSED,
};

/** Answers with a report's INFO, the whole of it for the section `server`, and CONFIG GET; `purged`: its INFO after MEMORY PURGE. */
export async function reportServer(
  info: string,
  settings: Readonly<Record<string, string>> | 'refused' = SETTINGS,
  purged = info,
): Promise<ReportServer> {
  const deeds: string[] = [];
  const server = await respServer(([name = '', ...args]) => {
    const command = [name.toUpperCase(), ...args].join(' ');
    if (command.startsWith('CONFIG GET')) return settings === 'refused' ? REFUSED : pairs(args[1] ?? '', settings);
    if (command === 'INFO server') return bulk(deeds.includes('MEMORY PURGE') ? purged : info);
    const answer = ANSWERS[name.toUpperCase()];
    if (answer !== undefined) return answer;
    deeds.push(command);
    return OK;
  });
  return Object.assign(server, { deeds });
}

function pairs(pattern: string, settings: Readonly<Record<string, string>>): Buffer {
  const isAsked = (name: string) => (pattern.includes('*') ? name.includes('defrag') : name === pattern);
  const words = Object.entries(settings).flatMap(([name, value]) => (isAsked(name) ? [name, value] : []));
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.map((word) => bulk(word))]);
}
