/** Of each function: bytes that are loaded at its start, and milliseconds of their import on a machine with other work to do. */
export const AIM = { bytes: 1_000_000, ms: 150 };
