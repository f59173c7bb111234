import type { ErrorCode } from 'yaml';

interface Explanation {
  readonly message: string;
  readonly accepted: string;
}

const SPACES = 'spaces, the same number for the keys of one level';

/**
 * Common mistakes, in words. The library's own messages are not used: some quote the source, and the line that cannot be read may hold a
 * secret.
 */
const EXPLANATIONS: Partial<Record<ErrorCode, Explanation>> = {
  BAD_INDENT: { message: 'the indentation is wrong, or a bracket is not closed', accepted: SPACES },
  TAB_AS_INDENT: { message: 'a tab is used as indentation', accepted: SPACES },
  BAD_SCALAR_START: { message: 'a value begins with a reserved character', accepted: 'such a value in quotes' },
  BAD_DQ_ESCAPE: {
    message: 'a backslash escapes nothing that YAML knows',
    accepted: 'single quotes around such a value',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a mapping begins after a value on the same line',
    accepted: 'key: value, one on a line',
  },
  DUPLICATE_KEY: { message: 'a key is written twice', accepted: 'each key once' },
  BLOCK_IN_FLOW: { message: 'an indented block stands inside brackets', accepted: 'brackets or indentation, not both' },
  MISSING_CHAR: {
    message: 'a character is missing: a quote, bracket, comma or colon',
    accepted: 'that character, before this place',
  },
  MULTILINE_IMPLICIT_KEY: { message: 'a key spreads over lines: is a colon missing?', accepted: 'key: value' },
  MULTIPLE_DOCS: { message: 'a second document begins (---)', accepted: 'one document in a file' },
  NON_STRING_KEY: { message: 'a key is not text', accepted: 'names as keys' },
  RESOURCE_EXHAUSTION: { message: 'the file is nested too deeply to be read', accepted: 'a few levels' },
  TAG_RESOLVE_FAILED: { message: 'a tag (!name) has no meaning here', accepted: 'plain values' },
  UNEXPECTED_TOKEN: { message: 'YAML does not allow what stands here', accepted: 'key: value, one on a line' },
};

/** What a syntax error means, without quoting the text. */
export function explainSyntax(code: ErrorCode): Explanation {
  return EXPLANATIONS[code] ?? { message: `the YAML is malformed (${code})`, accepted: 'YAML 1.2' };
}
