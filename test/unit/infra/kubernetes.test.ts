import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CronJob } from 'kubernetes-models/batch/v1/CronJob';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { Secret } from 'kubernetes-models/v1/Secret';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createProgram } from '../../../cli/program.ts';
import { parseConfig } from '../../../core/config/parse.ts';

// The manifest is applied to no cluster here: it is held against the schemas of the API, and against what Offpeak accepts.

type Manifest = Readonly<Record<string, unknown>> & { readonly kind: string };

const documents = parseAllDocuments(
  readFileSync(join(import.meta.dirname, '../../../infra/container/kubernetes.yml'), 'utf8'),
).map((document) => document.toJS() as Manifest);
const of = (kind: string) => {
  const found = documents.find((one) => one.kind === kind);
  if (!found) throw new Error(`the manifest has no ${kind}`);
  return found;
};
const KINDS = { ConfigMap, Secret, PersistentVolumeClaim, CronJob };

describe('the manifest for Kubernetes', () => {
  test.each(Object.entries(KINDS))('its %s is one by the schema of the API', (kind, Model) => {
    const model = new Model(of(kind) as never);
    expect(() => model.validate()).not.toThrow();
    expect(() => new Model({ ...of(kind), metadata: { name: 5 } } as never).validate()).toThrow();
  });

  test('has these kinds, and no others', () => {
    expect(documents.map(({ kind }) => kind).sort()).toEqual(Object.keys(KINDS).sort());
  });

  const { data } = of('ConfigMap') as unknown as { readonly data: Readonly<Record<string, string>> };
  const { stringData } = of('Secret') as unknown as { readonly stringData: Readonly<Record<string, string>> };

  test('its config is accepted, and the secret holds what it names', () => {
    const result = parseConfig(data['prod.yml'] ?? '', 'prod');
    expect(result).toMatchObject({ ok: true });
    const names = (JSON.stringify(result).match(/"source":"env","name":"(\w+)"/g) ?? []).map(
      (one) => one.split('"')[7],
    );
    expect(names).toEqual(['REDIS_PASSWORD']);
    expect(Object.keys(stringData)).toEqual(expect.arrayContaining(names));
  });

  test('its command line is accepted', () => {
    const { spec } = of('CronJob') as unknown as { readonly spec: { readonly jobTemplate: object } };
    const args = /"args":(\[[^\]]*\])/.exec(JSON.stringify(spec.jobTemplate))?.[1] ?? '[]';
    const [command = '', ...options] = JSON.parse(args) as string[];
    const run = createProgram().commands.find((one) => one.name() === command);
    expect(run?.parseOptions(options)).toEqual({ operands: [], unknown: [] });
    expect(run?.opts()).toMatchObject({
      webhook: { source: 'env', name: 'WEBHOOK' },
      state: '/var/lib/offpeak/prod.db',
    });
    expect(Object.keys(stringData)).toContain('WEBHOOK');
  });
});
