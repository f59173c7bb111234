import { bytesText, percentText } from '../../../core/format/units.ts';

/** A value in a unit of CloudWatch: `5.1 GiB`, `85 %`, `96 ms`; a plain number where there is no unit. */
export function quantityText(value: number, unit: string | undefined): string {
  switch (unit) {
    case 'Bytes':
      return bytesText(value);
    case 'Bytes/Second':
      return `${bytesText(value)} a second`;
    case 'Percent':
      return percentText(value);
    case 'Milliseconds':
      return `${rounded(value, 1)} ms`;
    case 'Seconds':
      return `${rounded(value, 1)} s`;
    case 'Count/Second':
      return `${rounded(value, 1)} a second`;
    case undefined:
    case 'None':
    case 'Count':
      return rounded(value, 3);
    default:
      return `${rounded(value, 3)} ${unit}`;
  }
}

/** `300` is `5 min`. */
export function periodText(seconds: number): string {
  return seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** Without trailing zeros, and without a sign on zero. */
function rounded(value: number, maximumFractionDigits: number): string {
  return value.toLocaleString('en', { maximumFractionDigits, signDisplay: 'negative' });
}
