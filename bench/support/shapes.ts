import { parseArgs } from 'node:util';
import { SHAPES } from '../../cli/lab/shapes.ts';
import { chosen, countOf } from './main.ts';

/** What was asked for on the command line. @throws BenchError for a mistake in it */
export function shapeOptions(defaults: { readonly megabytes: string; readonly repeats: string; shape: string[] }) {
  const { values } = parseArgs({
    options: {
      megabytes: { type: 'string', default: defaults.megabytes },
      repeats: { type: 'string', default: defaults.repeats },
      shape: { type: 'string', multiple: true, default: defaults.shape },
    },
  });
  return {
    megabytes: countOf('--megabytes', values.megabytes),
    repeats: countOf('--repeats', values.repeats),
    shapes: chosen('--shape', values.shape, SHAPES),
    /** An incomplete table is not for the page. */
    isWhole: values.shape === defaults.shape,
  };
}
