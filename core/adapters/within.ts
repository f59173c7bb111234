import type { Milliseconds } from '../config/units.ts';

/** The result of `work`; after this many milliseconds, that of `otherwise`. */
export async function within<T>(work: Promise<T>, duration: Milliseconds, otherwise: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(otherwise());
      } catch (error) {
        reject(error);
      }
    }, duration);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
