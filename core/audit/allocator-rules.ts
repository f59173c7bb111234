import { SECOND } from '../config/units.ts';
import { isJemalloc } from '../diagnosis/layers.ts';
import type { Answer } from '../domain/audit.ts';
import { durationText } from '../format/units.ts';
import { findingText } from '../reporting/wording/finding.ts';
import { CONFIG_REFUSED, finding, fine, type NodeFacts, notAsked, type Rule, setting, unknown } from './facts.ts';

// How freed memory leaves the process, and what MEMORY DOCTOR's words mean.

export const ALLOCATOR_RULES: readonly Rule<NodeFacts>[] = [
  { id: 'allocator', title: 'the allocator says where RSS goes', judge: allocator },
  { id: 'background-thread', title: 'free pages leave by themselves', judge: backgroundThread },
  { id: 'decay', title: 'free pages leave in time', judge: decay },
  { id: 'doctor', title: "MEMORY DOCTOR's words are explained", judge: doctor },
];

function allocator({ observation, diagnosis }: NodeFacts): Answer {
  const { memAllocator } = observation.memory;
  if (diagnosis.layers) return fine(`mem_allocator is ${memAllocator ?? 'not reported'}`);
  if (memAllocator === undefined) return unknown('the server does not report mem_allocator, nor the parts of RSS');
  if (!isJemalloc(observation.memory))
    return finding(
      'warning',
      `mem_allocator is ${memAllocator}: neither active defrag nor MEMORY PURGE has an effect`,
      'install a build with jemalloc',
    );
  const why = diagnosis.findings.find(({ kind }) => kind === 'no-layers');
  return unknown(why ? findingText(why) : `mem_allocator is ${memAllocator}`);
}

function backgroundThread({ observation, inquiry }: NodeFacts): Answer {
  if (!isJemalloc(observation.memory)) return notAsked('only jemalloc has one');
  if (inquiry.settings === undefined) return unknown(CONFIG_REFUSED);
  const value = inquiry.settings['jemalloc-bg-thread'];
  if (value === undefined) return notAsked('Redis has it since 6.0');
  return value === 'yes'
    ? fine('jemalloc-bg-thread is yes')
    : finding(
        'warning',
        `jemalloc-bg-thread is ${value}: on an idle server, freed pages stay in RSS until a MEMORY PURGE`,
        'switch it on: it costs no main thread',
        setting('jemalloc-bg-thread', 'yes'),
      );
}

/** jemalloc's default is 10 s. */
const SLOW_DECAY = 60 * SECOND;

function decay({ observation, inquiry }: NodeFacts): Answer {
  if (!isJemalloc(observation.memory)) return notAsked('only jemalloc has it');
  const times = inquiry.decay;
  if (!times) return unknown('MEMORY MALLOC-STATS is refused, or does not say it: grant +memory|malloc-stats');
  const slow = Object.entries(times).filter(([, time]) => time < 0 || time > SLOW_DECAY);
  const seen = Object.entries(times)
    .map(([kind, time]) => `${kind}_decay_ms ${time}`)
    .join(', ');
  if (slow.length === 0) return fine(seen);
  const [, time = 0] = slow[0] ?? [];
  return finding(
    'warning',
    `${seen}: freed pages stay in RSS ${time < 0 ? 'for good' : `for ${durationText(time)}`}`,
    'set it where the server starts. The bundled jemalloc reads JE_MALLOC_CONF, that of a distribution MALLOC_CONF',
    {
      kind: 'environment',
      line: `JE_MALLOC_CONF=${slow.map(([kind]) => `${kind}_decay_ms:${kind === 'dirty' ? 10_000 : 0}`).join(',')}`,
    },
  );
}

interface Word {
  /** Rules that judge the same with Offpeak's floors. */
  readonly judgedBy: readonly string[];
  readonly means: string;
  /** Where no other rule judges it. */
  readonly remedy?: string;
}

/** By the heads of MEMORY DOCTOR's paragraphs, from Redis 4 to Valkey 9 (object.c getMemoryDoctorReport). Its floor is 10 MiB. */
const WORDS: Readonly<Record<string, Word>> = {
  'Peak memory': {
    judgedBy: ['fragmentation', 'near-limit'],
    means: 'used_memory was 1.5 times as much before; the space is free for new data',
  },
  'High total RSS': { judgedBy: ['fragmentation', 'overhead'], means: 'RSS is 1.4 times used_memory and more' },
  'High fragmentation': { judgedBy: ['fragmentation', 'overhead'], means: 'RSS is 1.4 times used_memory and more' },
  'High allocator fragmentation': {
    judgedBy: ['fragmentation', 'defrag'],
    means: 'external fragmentation is a tenth of the data and more: active defrag returns it',
  },
  'High allocator RSS overhead': {
    judgedBy: ['fragmentation', 'background-thread'],
    means: 'free pages are a tenth of the heap and more: time, or MEMORY PURGE, returns them',
  },
  'High process RSS overhead': {
    judgedBy: ['overhead'],
    means: 'a tenth of RSS and more is outside of the allocator',
  },
  'Big replica buffers': {
    judgedBy: ['overhead'],
    means: 'replicas hold more than 10 MiB of buffers',
    remedy: 'INFO replication shows which one lags',
  },
  'Big client buffers': {
    judgedBy: ['overhead'],
    means: 'clients hold more than 200 KiB each, on average',
    remedy: 'CLIENT LIST shows whose (omem, qbuf)',
  },
  'Many scripts': {
    judgedBy: ['overhead'],
    means: 'the cache has more than 1,000 scripts',
    remedy: 'pass values in KEYS and ARGV: each new text stays in the cache. SCRIPT FLUSH empties it',
  },
};

/** Heads that were renamed. */
const OTHER_NAMES: Readonly<Record<string, string>> = { 'Big slave buffers': 'Big replica buffers' };

function doctor({ inquiry }: NodeFacts, found: ReadonlySet<string>): Answer {
  const said = inquiry.doctor;
  if (said === undefined) return unknown('MEMORY DOCTOR is refused: grant +memory|doctor');
  if (said.length === 0) return fine('MEMORY DOCTOR finds nothing');
  const words = said.map((name) => ({ name, word: WORDS[OTHER_NAMES[name] ?? name] }));
  const loose = words.filter(({ word }) => word?.remedy !== undefined && !word.judgedBy.some((id) => found.has(id)));
  const text = words.map(({ name, word }) => `"${name}": ${explained(word, found)}`).join('; ');
  if (loose.length === 0) return fine(`MEMORY DOCTOR says ${text}`);
  return finding('advice', `MEMORY DOCTOR says ${text}`, loose.map(({ word }) => word?.remedy).join('; '));
}

function explained(word: Word | undefined, found: ReadonlySet<string>): string {
  if (!word) return 'Offpeak does not know this word';
  const judge = word.judgedBy.find((id) => found.has(id));
  if (judge !== undefined) return `${word.means}: see the rule ${judge}`;
  return word.remedy === undefined ? `${word.means}. It counts from 10 MiB: too little for an action here` : word.means;
}
