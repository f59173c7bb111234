import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusalOf } from './slack-rules.ts';

/** How the endpoint behaves for one post instead of judging it. */
export type Behaviour =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly headers?: OutgoingHttpHeaders }
  /** Takes the post and never answers. */
  | { readonly kind: 'hang' }
  /** Takes the post and resets the connection. */
  | { readonly kind: 'reset' };

/** What arrived, and how it was answered. */
interface Post {
  readonly path: string;
  /** The body, when it was JSON. */
  readonly message: unknown;
  /** `ok` when it was shown, else the word or the behaviour. */
  readonly outcome: string;
}

export interface SlackEndpoint extends AsyncDisposable {
  /** The webhook's address. */
  readonly url: string;
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly posts: readonly Post[];
  /** What was shown in the channel. */
  shown(): readonly unknown[];
  /** For the next posts, one each; after them, posts are judged again. */
  behave(...behaviours: readonly Behaviour[]): void;
  /** From now on a post that comes sooner than this after the last one that was shown is answered 429. */
  limit(intervalMs: number): void;
  /** Forgets posts, behaviours and the limit. */
  clear(): void;
}

/** Not a secret of anybody's: it has the form of one, so that a test can look for it where it must not be. */
const PATH = '/services/T0FAKE/B0FAKE/not4secret5token6';

/**
 * Slack's incoming webhook over real HTTP, as strict as the real one is documented to be and written without a look at
 * our own checks: what it answers `ok` to, Slack is expected to show.
 */
export async function startSlackEndpoint(): Promise<SlackEndpoint> {
  const posts: Post[] = [];
  const script: Behaviour[] = [];
  let [interval, shownAt] = [0, Number.NEGATIVE_INFINITY];
  const tooSoon: Behaviour = { kind: 'answer', status: 429, body: 'rate_limited', headers: { 'retry-after': '1' } };
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString('utf8');
    const behaviour = script.shift() ?? (performance.now() - shownAt < interval ? tooSoon : undefined);
    const outcome = behaviour ? act(behaviour, response) : judge(request, body, response);
    if (outcome === 'ok') shownAt = performance.now();
    posts.push({ path: request.url ?? '', message: parsed(body), outcome });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}${PATH}`,
    host,
    posts,
    shown: () => posts.filter(({ outcome }) => outcome === 'ok').map(({ message }) => message),
    behave: (...behaviours) => script.push(...behaviours),
    limit: (intervalMs) => {
      interval = intervalMs;
    },
    clear() {
      posts.length = 0;
      script.length = 0;
      interval = 0;
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

function act(behaviour: Behaviour, response: ServerResponse): string {
  if (behaviour.kind === 'hang') return 'hang';
  if (behaviour.kind === 'reset') {
    response.socket?.resetAndDestroy();
    return 'reset';
  }
  const { status, body, headers = {} } = behaviour;
  response.writeHead(status, headers).end(body);
  return body;
}

function judge(request: IncomingMessage, body: string, response: ServerResponse): string {
  const [status, word] = verdict(request, body);
  response.writeHead(status, { 'content-type': 'text/html' }).end(word);
  return word;
}

function verdict({ method, url, headers }: IncomingMessage, body: string): readonly [status: number, word: string] {
  if (method !== 'POST') return [405, 'method_not_allowed'];
  if (url !== PATH) return [404, 'no_service'];
  if (!headers['content-type']?.startsWith('application/json')) return [400, 'invalid_payload'];
  const message = parsed(body);
  if (message === undefined) return [400, 'invalid_payload'];
  const refusal = refusalOf(message);
  return refusal ? [400, refusal.word] : [200, 'ok'];
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
