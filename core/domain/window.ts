/** The day on which a window opens. */
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/** A time of low traffic, every week, by the local clock. */
export interface MaintenanceWindow {
  /** The days on which it opens; it may close on the day after. */
  readonly days: readonly Weekday[];
  /** `HH:MM`, 00:00 to 23:59, by the local clock. */
  readonly start: string;
  /** Milliseconds on the local clock, 1 minute to 24 hours. */
  readonly duration: number;
}

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
