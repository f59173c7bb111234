import * as z from 'zod/mini';
import { days } from './calendar.ts';
import { duration, number, percent, size } from './quantities.ts';
import { byDefault, described, mapping, optional, text } from './scalar.ts';

const enabled = z.boolean({ error: 'true or false' });
const cooldown = { min: '0s', max: '30d', like: '6h' } as const;

const listOfModules = 'a list of at most 32 names of modules, as INFO modules prints them';
const modules = z
  .array(text('^[A-Za-z0-9_.-]{1,64}$', 'the name of a module, as INFO modules prints it, like search'), {
    error: listOfModules,
  })
  .check(z.maxLength(32, { error: listOfModules }));

export const window = mapping({
  days: described(days(), 'The days on which the window opens; it may close on the next one.'),
  start: described(
    text('^([01]\\d|2[0-3]):[0-5]\\d$', 'a local time from "00:00" to "23:59", in quotes'),
    'Local time at which the window opens, HH:MM.',
  ),
  duration: described(duration({ min: '5m', max: '24h', like: '3h' }), 'How long it stays open, 5m to 24h.'),
});

export const purge = mapping({
  enabled: byDefault(true, enabled, 'Whether MEMORY PURGE may be run.'),
  minReclaim: byDefault('128MiB', size({ like: '128MiB' }), 'Purge only when it is predicted to return this much.'),
  maxBlock: byDefault(
    '100ms',
    duration({ min: '1ms', max: '10s', like: '100ms' }),
    'Purge only when it is predicted to block all clients no longer than this, 1ms to 10s.',
  ),
  cooldown: byDefault('6h', duration(cooldown), 'Pause after a purge before the next, 0s to 30d.'),
});

export const defrag = mapping({
  enabled: byDefault(true, enabled, 'Whether active defragmentation may be started.'),
  through: byDefault(
    'config',
    z.enum(['config', 'parameter-group'], { error: 'config or parameter-group' }),
    'How it is switched: CONFIG SET on one node, or the parameter group of ElastiCache or MemoryDB, on all nodes that use the group at once.',
  ),
  minReclaim: byDefault('100MiB', size({ like: '100MiB' }), 'Start only when it is predicted to return this much.'),
  maxStall: byDefault(
    '5ms',
    duration({ min: '1ms', max: '100ms', like: '5ms' }),
    'While defrag is on, clients wait at most this long for a cycle, in 99.9 % of the time, 1ms to 100ms.',
  ),
  maxCpu: byDefault(
    25,
    percent({ min: 1, max: 75 }),
    "Share of the server's main thread that defrag may use, 1 to 75 %.",
  ),
  maxDuration: optional(
    duration({ min: '10s', max: '12h', like: '30m' }),
    'Stop after this time, 10s to 12h. Without it, a run may take the rest of the window (12h at most).',
  ),
  cooldown: byDefault('6h', duration(cooldown), 'Pause after a run before the next, 0s to 30d.'),
  allowModules: byDefault(
    [],
    modules,
    'Modules, by their names in INFO modules: defrag may start beside them, although it may be unable to move their data.',
  ),
});

const alarmAfter = duration({ min: '1m', max: '24h', like: '30m', wholeMinutes: true });

function fragmentation(ratio: number, lasting: string) {
  return mapping({
    ratio: byDefault(ratio, number({ min: 1.05, max: 100 }), 'Alarm above this mem_fragmentation_ratio, 1.05 to 100.'),
    for: byDefault(lasting, alarmAfter, 'Alarm after the ratio has been above it for this long, 1m to 24h.'),
    floor: byDefault('100MiB', size({ like: '100MiB' }), 'No alarm below this many bytes of fragmentation.'),
  });
}

const rssCritical = mapping({
  percentOfLimit: byDefault(
    85,
    percent({ min: 1, max: 100 }),
    'Alarm at or above this share of memoryLimit, 1 to 100 %.',
  ),
  for: byDefault('5m', alarmAfter, 'Alarm after RSS has been there for this long, 1m to 24h.'),
});

export const thresholds = mapping({
  fragmentationWarning: byDefault({}, fragmentation(1.5, '30m'), 'When fragmentation needs a check, in working hours.'),
  fragmentationCritical: byDefault({}, fragmentation(2, '10m'), 'When fragmentation needs a person now.'),
  rssCritical: byDefault({}, rssCritical, 'When RSS is near memoryLimit.'),
});
