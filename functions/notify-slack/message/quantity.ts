const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Three digits: `1.28 GiB`, `40.2 MiB`, `402 MiB`. */
export function bytesText(bytes: number): string {
  // What would round to 1024 belongs to the next unit.
  const unit = BYTE_UNITS.findIndex((_, power) => Math.abs(bytes) < 1023.5 * 1024 ** power);
  const power = unit === -1 ? BYTE_UNITS.length - 1 : unit;
  const value = bytes / 1024 ** power;
  const size = Math.abs(value);
  return `${rounded(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2)} ${BYTE_UNITS[power]}`;
}

/** Hundredths: `79 %`, `2.5 %`. */
export function percentText(percent: number): string {
  return `${rounded(percent, Math.abs(percent) < 9.95 ? 1 : 0)} %`;
}

/** A value in a unit of CloudWatch: `5.1 GiB`, `85 %`, `96 ms`; a plain number where there is no unit. */
export function quantityText(value: number, unit: string | undefined): string {
  switch (unit) {
    case 'Bytes':
      return bytesText(value);
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
