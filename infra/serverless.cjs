// `${file()}` runs CommonJS only: this requires the TypeScript, whose types Node strips, and does nothing else.
const { PARAMETERS } = require('./network.ts');
const { serverlessValues } = require('./serverless.ts');

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const values = await Promise.all(PARAMETERS.map((name) => resolveVariable(`param:${name}`)));
  const parameters = Object.fromEntries(PARAMETERS.map((name, index) => [name, String(values[index] ?? '')]));
  return serverlessValues(process.cwd(), stage, parameters);
};
