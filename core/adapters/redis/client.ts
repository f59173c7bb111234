// First: ioredis reads the debug switches when it is loaded.
import '../quiet.ts';

/** The only place that loads ioredis. */
export { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
