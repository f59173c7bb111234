/** Of each function: bytes that are loaded at its start, and milliseconds of their import. */
export const AIM = { bytes: 600_000, ms: 80 };
