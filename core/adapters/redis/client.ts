// First: what ioredis says of itself is decided when it is loaded.
import '../quiet.ts';

/** The only place that loads ioredis. */
export { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
