import { describe, expect, test } from 'vitest';
import { withSourceEntries } from '../../../cli/lab/apt.ts';

const ARCHIVE = 'http://archive.example/debian';

describe('one entry a line', () => {
  test.each([
    {
      what: 'a deb entry gets a deb-src beside it',
      text: `deb ${ARCHIVE} bookworm main`,
      expected: `deb ${ARCHIVE} bookworm main\ndeb-src ${ARCHIVE} bookworm main`,
    },
    {
      what: 'options stay',
      text: `deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] ${ARCHIVE} bookworm main contrib`,
      expected:
        `deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] ${ARCHIVE} bookworm main contrib\n` +
        `deb-src [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] ${ARCHIVE} bookworm main contrib`,
    },
    {
      what: 'a comment behind the entry is not repeated; blanks do not matter',
      text: `  deb\t${ARCHIVE}  bookworm main # the main archive`,
      expected: `  deb\t${ARCHIVE}  bookworm main # the main archive\ndeb-src ${ARCHIVE} bookworm main`,
    },
    {
      what: 'an entry that is commented out stays out',
      text: `# deb ${ARCHIVE} bookworm main\n#deb-src ${ARCHIVE} bookworm main`,
      expected: `# deb ${ARCHIVE} bookworm main\n#deb-src ${ARCHIVE} bookworm main`,
    },
    {
      what: 'a deb-src that is there already is not doubled',
      text: `deb ${ARCHIVE} bookworm main\ndeb-src  ${ARCHIVE} bookworm main`,
      expected: `deb ${ARCHIVE} bookworm main\ndeb-src  ${ARCHIVE} bookworm main`,
    },
    {
      what: 'the installation disc is dropped',
      text: `deb cdrom:[Debian GNU/Linux 12.5.0 _Bookworm_]/ bookworm main\ndeb ${ARCHIVE} bookworm main`,
      expected: `deb ${ARCHIVE} bookworm main\ndeb-src ${ARCHIVE} bookworm main`,
    },
    { what: 'an empty file stays empty', text: '', expected: '' },
  ])('$what', ({ text, expected }) => {
    expect(withSourceEntries('sources.list', text)).toBe(expected);
  });
});

describe('deb822', () => {
  test.each([
    {
      what: 'every stanza of binaries gets sources',
      text: `Types: deb\nURIs: ${ARCHIVE}\nSuites: trixie\n\nTypes: deb\nURIs: ${ARCHIVE}\nSuites: trixie-updates\n`,
      expected:
        `Types: deb deb-src\nURIs: ${ARCHIVE}\nSuites: trixie\n\n` +
        `Types: deb deb-src\nURIs: ${ARCHIVE}\nSuites: trixie-updates\n`,
    },
    {
      what: 'comments, keys and a switched-off stanza stay',
      text: `# Types: deb\nTypes: deb\nEnabled: no\nSigned-By: /usr/share/keyrings/a.gpg\n`,
      expected: `# Types: deb\nTypes: deb deb-src\nEnabled: no\nSigned-By: /usr/share/keyrings/a.gpg\n`,
    },
    { what: 'sources that are there already stay', text: 'Types: deb-src deb\n', expected: 'Types: deb-src deb\n' },
    { what: 'a stanza of sources alone stays', text: 'Types: deb-src\n', expected: 'Types: deb-src\n' },
    { what: "the field's name may be written small", text: 'types:deb \n', expected: 'types:deb deb-src\n' },
  ])('$what', ({ text, expected }) => {
    expect(withSourceEntries('debian.sources', text)).toBe(expected);
  });
});
