import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How Lambda tells a failure, whoever found it: the function, its runtime, or Lambda itself. */
export interface LambdaError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** What a runtime told about an invocation, or about its own start. */
type Told =
  | { readonly kind: 'response'; readonly requestId: string; readonly payload: unknown }
  | { readonly kind: 'error'; readonly requestId: string; readonly error: LambdaError }
  | { readonly kind: 'init-error'; readonly error: LambdaError };

interface Handed {
  readonly requestId: string;
  readonly event: unknown;
  /** Epoch milliseconds. */
  readonly deadline: number;
  readonly functionArn: string;
}

/** Lambda's Runtime API (2018-06-01) for one runtime at a time: no invocation is handed out before it was asked for. */
export interface RuntimeApi extends AsyncDisposable {
  /** `127.0.0.1:port`, for AWS_LAMBDA_RUNTIME_API. */
  readonly host: string;
  /** Resolves when the runtime waits for work. */
  asked(): Promise<void>;
  /** Hands an invocation to the runtime, which must have asked. */
  hand(work: Handed): void;
  /** The first that the runtime tells since it was handed an invocation, or since the reset. */
  told(): Promise<Told>;
  /** The runtime has ended: whatever it asked is void. */
  reset(): void;
}

const PREFIX = '/2018-06-01/runtime';

export async function startRuntimeApi(): Promise<RuntimeApi> {
  let waiting: ServerResponse | undefined;
  let onAsked = Promise.withResolvers<void>();
  let onTold = Promise.withResolvers<Told>();
  const server = createServer(async (request, response) => {
    if (request.method === 'GET' && request.url === `${PREFIX}/invocation/next`) {
      waiting = response;
      onAsked.resolve();
      return;
    }
    // A runtime that is killed while it tells something has told nothing.
    const body = await request.toArray().catch(() => undefined);
    if (body === undefined) return;
    const told = readTold(request, Buffer.concat(body).toString('utf8'));
    if (told === undefined) return void response.writeHead(404).end();
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    onTold.resolve(told);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => onAsked.promise,
    told: () => onTold.promise,
    hand(work) {
      if (waiting === undefined) throw new Error('the runtime has not asked for work');
      onAsked = Promise.withResolvers();
      onTold = Promise.withResolvers();
      waiting.writeHead(200, headersOf(work)).end(JSON.stringify(work.event));
      waiting = undefined;
    },
    reset() {
      waiting = undefined;
      onAsked = Promise.withResolvers();
      onTold = Promise.withResolvers();
      server.closeAllConnections();
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

function headersOf({ requestId, deadline, functionArn }: Handed): Readonly<Record<string, string>> {
  const root = `1-${Math.floor(Date.now() / 1000).toString(16)}-${requestId.replaceAll('-', '').slice(0, 24)}`;
  return {
    'content-type': 'application/json',
    'lambda-runtime-aws-request-id': requestId,
    'lambda-runtime-deadline-ms': String(deadline),
    'lambda-runtime-invoked-function-arn': functionArn,
    'lambda-runtime-trace-id': `Root=${root};Parent=53995c3f42cd8ad8;Sampled=0`,
  };
}

function readTold({ method, url = '' }: IncomingMessage, body: string): Told | undefined {
  if (method !== 'POST') return undefined;
  if (url === `${PREFIX}/init/error`) return { kind: 'init-error', error: JSON.parse(body) };
  const [, requestId = '', what] = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(url) ?? [];
  if (what === 'response') return { kind: 'response', requestId, payload: JSON.parse(body) };
  if (what === 'error') return { kind: 'error', requestId, error: JSON.parse(body) };
  return undefined;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
