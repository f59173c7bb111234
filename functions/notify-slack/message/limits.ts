/**
 * Slack's limits (docs.slack.dev, Block Kit reference). The two for `text` are stricter than Slack, which takes 40,000. Every text is cut
 * to them where its block is made (blocks.ts); in tests test/support/slack-rules.ts checks the result.
 */
export const LIMITS = {
  /** A notification; the blocks carry the message. */
  textBesideBlocks: 300,
  /** A message without blocks. Slack advises at most 4,000. */
  textAlone: 3_000,
  headerText: 150,
  sectionText: 3_000,
  fields: 10,
  contextElements: 10,
  buttonText: 75,
  url: 3_000,
} as const;
