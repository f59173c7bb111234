import * as z from 'zod/mini';
import { fileSchema, instanceSchema } from './schema.ts';

/**
 * The JSON schema of the file, for completion and checks while typing. It says less than `parseConfig`, which also
 * knows the ranges of sizes and durations, and the rules between keys and between instances.
 */
export function configJsonSchema(): object {
  const { '~standard': _, ...schema } = z.toJSONSchema(fileSchema, {
    io: 'input',
    target: 'draft-07',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema !== instanceSchema) return;
      jsonSchema.oneOf = [{ required: ['url'] }, { required: ['nodes'] }, { required: ['discover'] }];
    },
  });
  return { ...schema, title: 'Offpeak configuration' };
}
