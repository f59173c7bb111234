// Preloaded into osls by the deployment test: the AWS SDK speaks to `<bucket>.localhost`, which RFC 6761 gives to the
// loopback interface, and which a C library without that rule does not resolve.
const dns = require('node:dns');

const { lookup } = dns;
dns.lookup = (host, ...rest) => lookup(host.endsWith('.localhost') ? '127.0.0.1' : host, ...rest);
