import { expect, test } from 'vitest';
import { sentence } from '../../../../core/format/units.ts';

test.each([
  ['maxmemory is 0', 'maxmemory is 0.'],
  ['maxmemory-policy is noeviction', 'maxmemory-policy is noeviction.'],
  ['used_memory was 2 GiB', 'used_memory was 2 GiB.'],
  ['maxStall is 5 ms', 'maxStall is 5 ms.'],
  ['defrag.enabled is false now', 'defrag.enabled is false now.'],
  ['active-defrag-cycle-min is 1', 'active-defrag-cycle-min is 1.'],
  ['jemalloc-bg-thread is no', 'jemalloc-bg-thread is no.'],
  ['cache-1:6379 cannot be reached', 'cache-1:6379 cannot be reached.'],
  ['cache.example cannot be reached', 'cache.example cannot be reached.'],
])('a name keeps its spelling: %s', (text, expected) => expect(sentence(text)).toBe(expected));

test.each([
  ['the window has closed', 'The window has closed.'],
  ['active defrag is on', 'Active defrag is on.'],
  ['half-open connections remain', 'Half-open connections remain.'],
  ['little to return: 3 MiB', 'Little to return: 3 MiB.'],
  ['why?', 'Why?'],
  ['it ends.', 'It ends.'],
  ['type on the server:\nCONFIG SET hz 10', 'Type on the server:\nCONFIG SET hz 10'],
  ['', '.'],
])('every other word gets a capital: %j', (text, expected) => expect(sentence(text)).toBe(expected));
