import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settingsRead } from '../../../../core/format/setting-forms.ts';
import { SETTINGS } from '../../../support/builders.ts';

describe('F15: what a setting can hold', () => {
  test('all that a real server prints', () => {
    expect(settingsRead(SETTINGS)).toEqual({ settings: SETTINGS, odd: [] });
    const more = {
      activedefrag: 'yes',
      'active-defrag-cycle-us': '500',
      'active-defrag-ignore-bytes': '100mb',
      'active-defrag-max-scan-fields': '1000',
      'latency-monitor-threshold': '9223372036854775807',
    };
    expect(settingsRead(more)).toEqual({ settings: more, odd: [] });
  });

  test.each([
    ['activedefrag', ['1', 'YES', 'yes ', 'no\n', 'yes; FLUSHALL', '']],
    ['hz', ['-1', '+1', '1.5', '1e3', '0x10', 'ten', ' 10', '10\n', '10; FLUSHALL', '1'.repeat(20), '１０', '']],
    ['active-defrag-cycle-max', ['25 active-defrag-cycle-min 25', '25%']],
    ['active-defrag-ignore-bytes', ['100 mb', '100mib', '-1', 'mb', '100mb\r\nFLUSHALL']],
  ])('%s: %j is none of it', (name, values) => {
    for (const value of values) expect(settingsRead({ [name]: value }), value).toEqual({ settings: {}, odd: [name] });
  });

  test('what was not asked for is not kept, whatever it is called', () => {
    const others = { maxmemory: '0', dir: '/', 'active-defrag-x': '1', constructor: '1', ['__proto__' as string]: '1' };
    expect(settingsRead(others)).toEqual({ settings: {}, odd: [] });
  });

  test('for any names and values: what is kept can be typed as it stands', () => {
    const name = fc.oneof(fc.constantFrom(...Object.keys(SETTINGS)), fc.string());
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: 'binary', maxLength: 30 }), { maxKeys: 12 }), (printed) => {
        const { settings, odd } = settingsRead(printed);
        for (const [kept, value] of Object.entries(settings)) {
          expect(`${kept} ${value}`).toMatch(/^[a-z-]+ [a-z0-9]{1,22}$/i);
          expect(printed[kept]).toBe(value);
        }
        expect(
          Object.keys(SETTINGS)
            .filter((one) => Object.hasOwn(printed, one))
            .toSorted(),
        ).toEqual([...Object.keys(settings), ...odd].toSorted());
      }),
    );
  });
});
