// `${file()}` runs CommonJS only: this requires the TypeScript, whose types Node strips, and prints its warnings.
const { ACCOUNT_PARAMETERS } = require('./account.ts');
const { PARAMETERS } = require('./network.ts');
const { serverlessValues, warnings } = require('./serverless.ts');

// osls asks once for each value that serverless.yml takes from here.
const warned = new Set();

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const names = [...PARAMETERS, ...ACCOUNT_PARAMETERS];
  const values = await Promise.all(names.map((name) => resolveVariable(`param:${name}`)));
  const parameters = Object.fromEntries(names.map((name, index) => [name, String(values[index] ?? '')]));
  for (const line of warnings(process.cwd(), stage, parameters)) {
    if (!warned.has(line)) process.stderr.write(`warning: ${line}\n`);
    warned.add(line);
  }
  return serverlessValues(process.cwd(), stage, parameters);
};
