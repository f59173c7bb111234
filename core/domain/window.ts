/** Whether maintenance may run, and until or from when. Every instant is in epoch milliseconds. */
export type WindowState =
  /** Windows that overlap or touch are one: its first opening and its last closing. */
  | { readonly open: true; readonly opensAt: number; readonly closesAt: number }
  | {
      readonly open: false;
      /** `undefined` when no window is configured, or holidays leave none for 400 days. */
      readonly nextOpening: number | undefined;
      /** Set when a holiday keeps a window closed now. */
      readonly holiday?: true;
    };
