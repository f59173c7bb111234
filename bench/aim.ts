/** Of each function: bytes that are loaded at its start, and milliseconds of their import. */
export const AIM = { bytes: 550_000, ms: 80 };
