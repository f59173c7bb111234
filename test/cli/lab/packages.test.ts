import { expect, test } from 'vitest';
import { addedPackages, npmBinaryObstacle } from '../../../cli/lab/packages.ts';

test('the plan of an installation names what it adds, not what it upgrades', () => {
  const plan = [
    'Reading package lists...',
    'The following NEW packages will be installed:',
    '  liblzf1 redis-server redis-tools',
    'Inst libc6 [2.36-9+deb12u9] (2.36-9+deb12u14 Debian:12.14/oldstable [amd64])',
    'Inst liblzf1 (3.6-3 Debian:12.14/oldstable [amd64])',
    'Inst redis-tools (5:7.0.15-1~deb12u7 Debian:12.14/oldstable [amd64]) []',
    'Conf liblzf1 (3.6-3 Debian:12.14/oldstable [amd64])',
    '',
  ].join('\n');
  expect(addedPackages(plan)).toEqual(['liblzf1', 'redis-tools']);
  expect(addedPackages('0 upgraded, 0 newly installed, 0 to remove.')).toEqual([]);
});

test.each([
  { platform: 'linux', arch: 'x64', glibc: '2.38', obstacle: undefined },
  { platform: 'linux', arch: 'x64', glibc: '2.100', obstacle: undefined },
  { platform: 'linux', arch: 'x64', glibc: '3.0', obstacle: undefined },
  { platform: 'linux', arch: 'x64', glibc: '2.37', obstacle: 'it needs glibc 2.38, this system has 2.37' },
  { platform: 'linux', arch: 'x64', glibc: '2.4', obstacle: 'it needs glibc 2.38, this system has 2.4' },
  { platform: 'linux', arch: 'arm64', glibc: '2.41', obstacle: 'it is made for linux x64, this is linux arm64' },
  { platform: 'darwin', arch: 'x64', glibc: '2.41', obstacle: 'it is made for linux x64, this is darwin x64' },
])('the binary from npm on $platform $arch with glibc $glibc: $obstacle', ({ platform, arch, glibc, obstacle }) => {
  expect(npmBinaryObstacle(platform, arch, glibc)).toBe(obstacle);
});
