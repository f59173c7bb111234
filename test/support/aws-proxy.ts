import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import pLimit from 'p-limit';
import { type Refusal, refusalOf } from './aws-limits.ts';
import { type AwsCall, decodeCall, pointsOf } from './aws-wire.ts';
import { signatureProblem } from './sigv4.ts';

/** What was asked, and what became of it. */
export interface RecordedCall extends AwsCall {
  readonly outcome: 'forwarded' | 'refused' | FaultKind;
}

export type FaultKind =
  /** 400 Throttling, which CloudWatch and SNS answer to too many calls. */
  | 'throttle'
  /** 500 InternalFailure. */
  | 'error'
  /** 400 InvalidParameterValue. */
  | 'invalid'
  /** 403 AccessDenied. */
  | 'deny'
  /** Never answered. */
  | 'hang'
  /** Carried out and answered, but after two seconds: within the clients' time-out of three. */
  | 'slow'
  /** The connection is reset before an answer. */
  | 'reset'
  /** The call is carried out, and the connection is reset in place of the answer. */
  | 'lost-answer'
  /** 200 with a body that breaks off in the middle. */
  | 'garble'
  /** 200 of a batch of which nothing was processed, as DynamoDB answers when it is throttled. */
  | 'unprocessed'
  /** OTLP: 200, and a tenth of the points is refused. */
  | 'partial';

interface Fault {
  readonly operation: string;
  readonly kind: FaultKind;
  /** How many calls it hits; default: all. */
  readonly times?: number;
  /** Which calls it hits; default: each. */
  readonly when?: (call: AwsCall) => boolean;
}

export interface AwsProxy extends AsyncDisposable {
  readonly url: string;
  /** Every call that was decoded, in the order of arrival, the failed ones included. */
  readonly requests: readonly RecordedCall[];
  /** The first fault that matches a call hits it. */
  fault(fault: Fault): void;
  /** Forgets the requests and the faults. */
  clear(): void;
  stop(): Promise<void>;
}

export const SLOW_MS = 2_000;

const FAILURES: Readonly<Record<'throttle' | 'error' | 'invalid' | 'deny' | 'partial', Refusal>> = {
  partial: { status: 500, code: 'InternalFailure', message: 'Only OTLP has partial successes.' },
  throttle: { status: 400, code: 'Throttling', message: 'Rate exceeded' },
  error: { status: 500, code: 'InternalFailure', message: 'The service failed.' },
  invalid: { status: 400, code: 'InvalidParameterValue', message: 'The proxy was told to refuse this.' },
  deny: { status: 403, code: 'AccessDenied', message: 'User is not authorized to perform this action.' },
};

/**
 * A proxy in front of moto that decodes and records every call, refuses what the real services refuse, and fails on
 * demand. It unzips before it forwards: moto 5.2.1 answers 500 to gzip.
 *
 * @param target moto's URL
 */
export async function startAwsProxy(target: string): Promise<AwsProxy> {
  const requests: RecordedCall[] = [];
  const faults: { fault: Fault; left: number }[] = [];
  const outcomeOf = (call: AwsCall): RecordedCall['outcome'] => {
    const hit = faults.find(
      (f) => f.left > 0 && f.fault.operation === call.operation && (f.fault.when?.(call) ?? true),
    );
    if (hit === undefined) return refusalOf(call, Date.now()) === undefined ? 'forwarded' : 'refused';
    hit.left -= 1;
    return hit.fault.kind;
  };
  // DynamoDB checks a condition and writes as one step. moto 5.2.1 does it in two, in threads: both of two writers won.
  const oneByOne = pLimit(1);
  const server = createServer(async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray());
    try {
      const call = decodeCall(incoming.headers, body);
      const forged = call.protocol === 'otlp' ? signatureProblem(incoming, body) : undefined;
      if (forged !== undefined) return void response.writeHead(403).end(JSON.stringify({ message: forged }));
      const outcome = outcomeOf(call);
      requests.push({ ...call, outcome });
      const inTurn = call.service === 'dynamodb' ? oneByOne : atOnce;
      answer(outcome, call, { incoming, response, body, target, inTurn });
    } catch (error) {
      response.writeHead(415).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => close(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fault: (fault) => faults.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }),
    clear: () => {
      requests.length = 0;
      faults.length = 0;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function atOnce(work: () => Promise<void>): Promise<void> {
  return work();
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly target: string;
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
}

function answer(outcome: RecordedCall['outcome'], call: AwsCall, exchange: Exchange): void {
  if (call.protocol === 'otlp' && (outcome === 'forwarded' || outcome === 'partial')) {
    const rejectedDataPoints = `${Math.ceil(pointsOf([call]).length / 10)}`;
    const partialSuccess = { rejectedDataPoints, errorMessage: 'too many series' };
    // moto does not know this endpoint.
    exchange.response.writeHead(200).end(JSON.stringify(outcome === 'partial' ? { partialSuccess } : {}));
    return;
  }
  switch (outcome) {
    case 'hang':
      return;
    case 'reset':
      exchange.incoming.socket.resetAndDestroy();
      return;
    case 'forwarded':
    case 'lost-answer':
    case 'garble':
      void exchange.inTurn(() => forward(call, exchange, ANSWERS[outcome]));
      return;
    case 'slow':
      setTimeout(() => void exchange.inTurn(() => forward(call, exchange, ANSWERS.forwarded)), SLOW_MS);
      return;
    case 'unprocessed':
      exchange.response
        .writeHead(200, { 'content-type': 'application/x-amz-json-1.0' })
        .end(JSON.stringify({ Responses: {}, UnprocessedKeys: call.input.RequestItems }));
      return;
    case 'refused':
      refuse(call, refusalOf(call, Date.now()), exchange.response);
      return;
    default:
      refuse(call, FAILURES[outcome], exchange.response);
  }
}

/** What becomes of moto's answer. */
type Answer = (from: IncomingMessage, response: ServerResponse) => void;

const ANSWERS: Readonly<Record<'forwarded' | 'lost-answer' | 'garble', Answer>> = {
  forwarded(from, response) {
    response.writeHead(from.statusCode ?? 502, from.headers);
    from.pipe(response);
  },
  'lost-answer'(from, response) {
    from.resume().on('end', () => response.socket?.resetAndDestroy());
  },
  async garble(from, response) {
    const body = Buffer.concat(await from.toArray());
    const { 'content-length': _, ...headers } = from.headers;
    response.writeHead(200, headers).end(body.subarray(0, body.length - 20));
  },
};

/** Resolves when moto has done what it was asked. */
function forward(call: AwsCall, exchange: Exchange, onAnswer: Answer): Promise<void> {
  const { incoming, response, body, target } = exchange;
  const plain = call.gzip ? gunzipSync(body) : body;
  // The host stays the proxy's: moto builds queue URLs from it, which then lead through the proxy too.
  const { 'content-encoding': _, 'transfer-encoding': __, ...headers } = incoming.headers;
  const outgoing = request(target, {
    method: incoming.method,
    path: incoming.url,
    headers: { ...headers, 'content-length': plain.length },
  });
  return new Promise((done) => {
    outgoing.on('response', (from) => {
      onAnswer(from, response);
      done();
    });
    outgoing.on('error', (error) => {
      response.writeHead(502).end(`moto: ${error.message}`);
      done();
    });
    outgoing.end(plain);
  });
}

function refuse(call: AwsCall, refusal: Refusal | undefined, response: ServerResponse): void {
  const { status, code, message } = refusal ?? FAILURES.error;
  const side = status < 500 ? 'Sender' : 'Receiver';
  if (call.protocol === 'otlp') {
    const known = code === 'Throttling' ? 429 : status;
    response.writeHead(known, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
    return;
  }
  if (call.protocol === 'json') {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': `${code};${side}` };
    response.writeHead(status, headers).end(JSON.stringify({ __type: `${code}Exception`, message }));
    return;
  }
  const error = `<Type>${side}</Type><Code>${code}</Code><Message>${message}</Message>`;
  response
    .writeHead(status, { 'content-type': 'text/xml' })
    .end(`<ErrorResponse><Error>${error}</Error><RequestId>proxy</RequestId></ErrorResponse>`);
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  // Those that hang are never answered, so they would keep the server open.
  server.closeAllConnections();
  await closed;
}

/**
 * The environment that leads the AWS SDK to `url` with dummy keys. Profiles and configuration files are switched off: a
 * developer's own must not decide where a test calls.
 */
export function awsEnv(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'testing',
    AWS_SECRET_ACCESS_KEY: 'testing',
    AWS_SESSION_TOKEN: '',
    AWS_PROFILE: '',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
