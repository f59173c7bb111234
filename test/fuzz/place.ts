import fc from 'fast-check';

/**
 * A place in something of any length, from 0 to less than 1, each as likely as the other. `fc.double` from 0 to 1 is not that: 93 %
 * of its values are below 0.01, as half of all such numbers are below 2^-500, and only the first line would ever change.
 */
export const place = fc.nat({ max: 999_999 }).map((millionths) => millionths / 1_000_000);
