import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readConfig } from '../../core/adapters/config-file.ts';
import { covers } from '../../core/domain/pause.ts';
import { windowAt } from '../../core/guards/window.ts';
import { type PlaceOptions, UsageError } from '../options.ts';
import { type ReportTerms, reportPage } from '../render/html/report.ts';
import { zoneOf } from '../render/zone.ts';
import { documentsIn, together } from '../report/documents.ts';
import { nightOf, type Span } from '../report/night.ts';

export interface ReportOptions extends Partial<Pick<PlaceOptions, 'config' | 'stage'>> {
  readonly output?: string;
}

/** Draws what other commands have printed with --json as one HTML file. */
export function report(files: readonly string[], { output, config, stage }: ReportOptions): void {
  const documents = together((files.length === 0 ? ['-'] : files).map((file) => documentsIn(nameOf(file), read(file))));
  const parts = [...documents.ticks, ...documents.audits, ...documents.keys, ...documents.labs];
  if (parts.length === 0)
    throw new UsageError('report: there is no document in what was given; accepted: what --json prints');
  const night = nightOf(documents.ticks);
  const html = reportPage(night, documents, termsOf(config, stage ?? night?.stage));
  if (output === undefined || output === '-') process.stdout.write(html);
  else write(output, html);
}

/** @throws {UsageError} where it cannot be written */
function write(file: string, html: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, html);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `report: ${file} cannot be written (${code}); accepted: --output with a file in a folder that can be written`,
    );
  }
}

function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`report: ${nameOf(file)} cannot be read (${code}); accepted: files that --json has written`);
  }
}

const STEP = 60_000;

/** The windows are those of the config as it is now. */
function termsOf(file: string | undefined, stage: string | undefined): ReportTerms {
  if (file === undefined) return { timezone: 'UTC', windowsOf: () => [] };
  const { instances, schedule } = readConfig(file, stage ?? 'local');
  return {
    timezone: zoneOf(instances, schedule.timezone),
    windowsOf: (id, during) => {
      const instance = instances.find((one) => covers(one.id, id));
      return instance ? openSpans(instance.windows, instance.timezone ?? 'UTC', during, instance.holidays) : [];
    },
  };
}

function openSpans(
  windows: Parameters<typeof windowAt>[0],
  timezone: string,
  { from, until }: Span,
  holidays: Parameters<typeof windowAt>[3],
): readonly Span[] {
  const spans: Span[] = [];
  for (let at = from; at < until; ) {
    const state = windowAt(windows, timezone, at, holidays);
    const end = Math.max(at + STEP, (state.open ? state.closesAt : state.nextOpening) ?? until);
    if (state.open) spans.push({ from: at, until: Math.min(end, until) });
    at = end;
  }
  return spans;
}
