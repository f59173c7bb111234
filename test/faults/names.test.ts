import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNames, type Names } from '../../core/adapters/dns/names.ts';
import { type DnsBehaviour, type DnsServer, dnsServer } from '../support/dns-server.ts';
import { refragmented, settingsOf } from '../support/fragmented.ts';
import { lacksServer, plainServer } from '../support/servers.ts';
import type { Settings } from './messes.ts';
import { redisProxy } from './redis-proxy.ts';
import { aPlace, HOLED, type Place, type Scene, sceneAt } from './scene.ts';
import { faultTable } from './table.ts';

const table = faultTable(import.meta.filename);
const HOST = 'ill.test';
const HERE: DnsBehaviour = { addresses: ['127.0.0.1'], ttl: 5 };
/** Longer than the TTL. */
const LATER_MS = 6_000;

describe.skipIf(lacksServer('defrag') || lacksServer('plain'))('a node by its name, while our defrag runs', () => {
  let dns: DnsServer;
  let place: Place;
  let before: Settings;
  beforeAll(async () => {
    dns = await dnsServer();
    place = await aPlace('defrag');
    before = await settingsOf(place.redis);
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await dns?.[Symbol.asyncDispose]();
  });

  interface Named extends Scene {
    /** The name's TTL is over by then. */
    later(): void;
  }

  /** As a container that has just started. */
  function aContainer(stateFile?: string): Named {
    let offset = 0;
    const now = () => performance.now() + offset;
    const names: Names = createNames({ servers: [dns.address], now });
    const scene = sceneAt(place, { host: HOST, names, ...(stateFile !== undefined && { stateFile }) });
    return {
      ...scene,
      later() {
        scene.pass(60_000);
        offset += LATER_MS;
      },
    };
  }

  async function started(): Promise<Named> {
    await refragmented(place.redis, HOLED);
    dns.set(HOST, HERE);
    const scene = aContainer();
    await scene.start();
    return scene;
  }

  const FAULTS = (['hangs', 'servfail'] as const).map((how) => ({
    how,
    expectRow: table.row(`its name ${how === 'hangs' ? 'servers hang' : 'servers fail'}, during a defrag`),
  }));
  test.for(FAULTS)('$how: its last address is good for some minutes', async ({ how, expectRow }) => {
    await using scene = await started();
    dns.set(HOST, how);
    scene.later();
    const outcome = await scene.tick();
    scene.later();
    expectRow({ outcome, ...(await scene.cleanUp(before)), told: scene.told() });
  });

  const hangingAnew = table.row('its name servers hang, during a defrag, and the job is started anew');
  test('a job that does not know the address', async () => {
    await using scene = await started();
    dns.set(HOST, 'hangs');
    await using anew = aContainer(scene.job.stateFile);
    anew.later();
    const outcome = await anew.tick();
    dns.set(HOST, HERE);
    hangingAnew({ outcome, ...(await anew.cleanUp(before)), told: [...scene.told(), ...anew.told()] });
  });

  const vanished = table.row('its name vanishes, during a defrag, and comes back');
  test('a name that vanishes', async () => {
    await using scene = await started();
    dns.set(HOST, 'nxdomain');
    scene.later();
    const outcome = await scene.tick();
    dns.set(HOST, HERE);
    scene.later();
    vanished({ outcome, ...(await scene.cleanUp(before)), told: scene.told() });
  });

  const moved = table.row('its name moves to another server, during a defrag, and back');
  test('a name that moves', async () => {
    await using scene = await started();
    await using other = await plainServer();
    await using elsewhere = await redisProxy(other.port, { host: '127.0.0.2', port: place.proxy.port });
    expect(elsewhere.port).toBe(place.proxy.port);
    dns.set(HOST, { addresses: ['127.0.0.2'], ttl: 5 });
    scene.later();
    const outcome = await scene.tick();
    dns.set(HOST, HERE);
    scene.later();
    moved({ outcome, ...(await scene.cleanUp(before)), told: scene.told() });
  });
});
