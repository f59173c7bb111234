import { vi } from 'vitest';
import { createNames, type Names } from '../../core/adapters/dns/names.ts';
import { type AwsProxy, awsEnv, startAwsProxy } from './aws-proxy.ts';
import { lentMoto, type Moto } from './moto.ts';

/** moto behind the proxy that records and fails its calls. */
export interface AwsStandIn extends AsyncDisposable {
  readonly moto: Moto;
  readonly proxy: AwsProxy;
}

/** Leads the SDK of this process there, until it is disposed of. */
export async function awsStandIn(command?: readonly string[]): Promise<AwsStandIn> {
  const moto = await lentMoto(command);
  const proxy = await startAwsProxy(moto.url);
  for (const [key, value] of Object.entries(awsEnv(proxy.url))) vi.stubEnv(key, value);
  return {
    moto,
    proxy,
    async [Symbol.asyncDispose]() {
      vi.unstubAllEnvs();
      await proxy.stop();
      await moto.stop();
    },
  };
}

/** Every name of AWS' caches is this machine. */
export const NAMES_HERE: Names = { ...createNames(), resolve: async () => ({ addresses: ['127.0.0.1'] }) };
