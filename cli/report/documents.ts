import { z } from 'zod';
import type { Layers } from '../../core/domain/diagnosis.ts';
import { UsageError } from '../options.ts';

// What other commands print with --json, as far as a report shows it. Unknown fields and kinds are left out: a newer version may have more.

const bytes = z.number();
const layers = z.object({ data: bytes, fragmentation: bytes, freePages: bytes, overhead: bytes });
const text = z.object({ text: z.string() });

const outcome = z.object({
  instance: z.string(),
  node: z.string(),
  status: z.string(),
  role: z.string().optional(),
  engine: z.object({ name: z.string(), version: z.string() }).optional(),
  memory: z
    .object({ used: bytes.optional(), rss: bytes.optional(), limit: bytes.optional(), ratio: z.number().optional() })
    .optional(),
  returnable: bytes.optional(),
  by: z.string().optional(),
  diagnosis: z.object({ verdict: z.string(), layers: layers.optional(), findings: z.array(text) }).optional(),
  plan: z.object({ kind: z.string(), why: z.string(), action: z.object({ kind: z.string() }).optional() }).optional(),
  verdict: z
    .object({
      action: z.string(),
      rssBefore: bytes,
      rssAfter: bytes,
      reclaimed: bytes,
      predicted: bytes,
      stall: z.number(),
      promisedStall: z.number(),
      beyond: z.number().optional(),
      text: z.string(),
    })
    .optional(),
  problem: z.object({ message: z.string() }).optional(),
  leased: z.boolean().optional(),
});

const tick = z.object({
  at: z.iso.datetime(),
  stage: z.string(),
  outcomes: z.array(outcome),
  remarks: z.array(z.string()).default([]),
  alerts: z.array(z.object({ severity: z.string(), title: z.string() })).default([]),
});

const answer = z.object({
  rule: z.string(),
  answer: z.string(),
  severity: z.string().optional(),
  evidence: z.string().optional(),
  remedy: z.string().optional(),
});
const audit = z.object({
  at: z.iso.datetime(),
  answers: z.array(answer).default([]),
  nodes: z.array(z.object({ instance: z.string(), node: z.string(), answers: z.array(answer).default([]) })),
  totals: z.object({ critical: z.number(), warning: z.number(), advice: z.number() }),
});

const keys = z.object({
  at: z.iso.datetime(),
  nodes: z.array(
    z.object({
      instance: z.string(),
      node: z.string(),
      problem: z.string().optional(),
      findings: z
        .array(
          z.object({
            pattern: z.string(),
            bytes: z.object({ value: bytes, low: bytes, high: bytes }),
            text: z.string(),
            remedy: z.string(),
          }),
        )
        .default([]),
    }),
  ),
});

const lab = z.object({
  at: z.iso.datetime(),
  title: z.string(),
  arms: z.array(
    z.object({ arm: z.string(), text: z.string(), after: z.object({ rss: bytes, layers }), returned: bytes }),
  ),
});

export type TickDocument = z.infer<typeof tick>;
export type StepDocument = z.infer<typeof outcome>;
export type AuditDocument = z.infer<typeof audit>;
export type KeysDocument = z.infer<typeof keys>;
export type LabDocument = z.infer<typeof lab>;

/** As the engine names them. */
export function layersOf({ data, fragmentation, freePages, overhead }: z.infer<typeof layers>): Layers {
  return { allocated: data, externalFragmentation: fragmentation, freePages, overhead };
}

/** Everything that a report is made of, each in the order of its time. */
export interface Documents {
  readonly ticks: readonly TickDocument[];
  readonly audits: readonly AuditDocument[];
  readonly keys: readonly KeysDocument[];
  readonly labs: readonly LabDocument[];
}

/** Which command has printed a document, by the fields that only it has. */
const KINDS = [
  ['tick', 'outcomes', tick],
  ['lab', 'arms', lab],
  ['audit', 'totals', audit],
  ['keys', 'nodes', keys],
] as const;

/**
 * The documents in a file, one on each line.
 *
 * @throws {UsageError} naming the file, the line and what is accepted
 */
export function documentsIn(file: string, content: string): Documents {
  const found = {
    ticks: [] as TickDocument[],
    audits: [] as AuditDocument[],
    keys: [] as KeysDocument[],
    labs: [] as LabDocument[],
  };
  content.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    const place = `report: ${file}:${index + 1}`;
    const value = parsed(line, place);
    const [kind, , schema] = KINDS.find(([, field]) => Object.hasOwn(Object(value), field)) ?? [];
    if (kind === undefined) throw new UsageError(`${place}: this is not a document of Offpeak; accepted: ${ACCEPTED}`);
    const { data, error } = schema.safeParse(value);
    if (error) {
      const [issue] = error.issues;
      throw new UsageError(
        `${place}: the ${kind} cannot be read: ${issue?.path.join('.')}: ${issue?.message}; accepted: ${ACCEPTED}`,
      );
    }
    if (kind === 'tick') found.ticks.push(data as TickDocument);
    else if (kind === 'lab') found.labs.push(data as LabDocument);
    else if (kind === 'audit') found.audits.push(data as AuditDocument);
    else found.keys.push(data as KeysDocument);
  });
  return found;
}

const ACCEPTED = 'what check, plan, run, audit, keys and lab print with --json, a document on each line';

function parsed(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new UsageError(`${place}: this line is not JSON; accepted: ${ACCEPTED}`);
  }
}

/** Of several files, as one; the ticks by their time. */
export function together(all: readonly Documents[]): Documents {
  return {
    ticks: all.flatMap(({ ticks }) => ticks).toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)),
    audits: all.flatMap(({ audits }) => audits),
    keys: all.flatMap(({ keys }) => keys),
    labs: all.flatMap(({ labs }) => labs),
  };
}
