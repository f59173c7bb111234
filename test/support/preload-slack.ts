/**
 * Loaded before a packaged function by `NODE_OPTIONS=--import`: its list of hosts has Slack's own and no other, so posts to
 * hooks.slack.com are led to the endpoint at SLACK_STAND_IN. Whatever else is fetched fails: no test may reach the world.
 */
const { SLACK_STAND_IN = '', STRAY_REJECTION } = process.env;
const real = globalThis.fetch;

globalThis.fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (url.origin !== 'https://hooks.slack.com') throw new Error(`a test may not fetch from ${url.host}`);
  if (STRAY_REJECTION !== undefined) {
    // What a forgotten await leaves behind; the answer is then never told.
    void Promise.reject(new RangeError(STRAY_REJECTION));
    return new Promise(() => {});
  }
  return real(`http://${SLACK_STAND_IN}${url.pathname}`, init);
};
