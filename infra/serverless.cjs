// `${file()}` runs CommonJS only: this requires the TypeScript, whose types Node strips, and does nothing else.
const { ACCOUNT_PARAMETERS } = require('./account.ts');
const { PARAMETERS } = require('./network.ts');
const { serverlessValues } = require('./serverless.ts');

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const names = [...PARAMETERS, ...ACCOUNT_PARAMETERS];
  const values = await Promise.all(names.map((name) => resolveVariable(`param:${name}`)));
  const parameters = Object.fromEntries(names.map((name, index) => [name, String(values[index] ?? '')]));
  return serverlessValues(process.cwd(), stage, parameters);
};
