import { quantityText } from './quantity.ts';

/** As Java writes a double: `5.601230848E9`, `1.0`; and long whole numbers, but not those in an ARN or an address. */
const NUMBER = /(?<![\w.:/-])-?(?:\d+\.\d+(?:E-?\d+)?|\d{6,})(?![\w.:/-]\w|\w)/g;
/** `23/11/26 02:04:00`, in UTC. */
const TIME = /\b(\d\d)\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d)\b/g;

/**
 * CloudWatch's reason with numbers and times as people write them: `5.22 GiB (2026-11-23 02:04:00 UTC)` in place of
 * `5.601230848E9 (23/11/26 02:04:00)`. Everything else stays, so that a reason in other words is shown as it is.
 */
export function reasonText(reason: string, unit: string | undefined): string {
  return reason.replace(NUMBER, (number) => numberText(number, unit)).replace(TIME, '20$3-$2-$1 $4 UTC');
}

function numberText(number: string, unit: string | undefined): string {
  const value = Number(number);
  return Number.isFinite(value) ? quantityText(value, unit) : number;
}
