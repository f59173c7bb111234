import type { KnownBlock } from '@slack/types';

/** What an incoming webhook takes. With blocks, `text` is what a phone's notification shows. */
export interface SlackMessage {
  readonly text: string;
  /** false: `*` and `_` in `text` stay what they are. */
  readonly mrkdwn?: false;
  readonly blocks?: readonly KnownBlock[];
}

/** A message, and the same as text of any length. */
export interface Draft {
  readonly message: SlackMessage;
  readonly text: string;
}

/** One message, in two forms. */
export interface Post {
  readonly message: SlackMessage;
  /** Text alone: for when Slack refuses the blocks of `message`. */
  readonly plain: SlackMessage;
}
