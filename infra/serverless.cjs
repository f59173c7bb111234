// `${file()}` runs CommonJS only: this requires the TypeScript, whose types Node strips, and prints its warnings.
const { ACCOUNT_PARAMETERS } = require('./account.ts');
const { PARAMETERS } = require('./network.ts');
const { serverlessValues, warnings } = require('./serverless.ts');

// osls asks for each value that serverless.yml takes from here: the stack is made, and warned of, once.
let values;

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const names = [...PARAMETERS, ...ACCOUNT_PARAMETERS];
  const given = await Promise.all(names.map((name) => resolveVariable(`param:${name}`)));
  const parameters = Object.fromEntries(names.map((name, index) => [name, String(given[index] ?? '')]));
  if (values === undefined) {
    for (const line of warnings(process.cwd(), stage, parameters)) process.stderr.write(`warning: ${line}\n`);
    values = serverlessValues(process.cwd(), stage, parameters);
  }
  return values;
};
