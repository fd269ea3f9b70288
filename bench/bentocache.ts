import type { PeerPackages } from './peer-packages.ts';
import { makeProduct, type Product, peerKey, type Read } from './products.ts';

// What is used of bentocache: its own types are not there when this is compiled.
interface Store {
  useL1Layer(driver: unknown): Store;
  useL2Layer(driver: unknown): Store;
}
interface GetOrSet<T> {
  readonly key: string;
  readonly ttl: string;
  readonly factory: () => T;
}
interface Bento {
  getOrSet<T>(options: GetOrSet<T>): Promise<T>;
  disconnectAll(): Promise<void>;
}
interface BentoModules {
  readonly BentoCache: new (options: {
    readonly default: string;
    readonly stores: Readonly<Record<string, Store>>;
  }) => Bento;
  readonly bentostore: () => Store;
  readonly memoryDriver: (options: object) => unknown;
  readonly redisDriver: (options: object) => unknown;
}

export interface BentocacheOptions {
  readonly redisUrl: string;
  /** Of its keys: two of them must not find each other's entries. */
  readonly prefix: string;
  /** Options of its in-process tier; none: Redis alone. */
  readonly memory?: { readonly maxItems: number; readonly serialize?: boolean };
  readonly autoPipelining?: boolean;
}

/** A bentocache as its documentation sets it up, without a bus: there is no other process to tell. */
export class Bentocache {
  readonly #bento: Bento;
  #loads = 0;

  static async open(peers: PeerPackages, options: BentocacheOptions): Promise<Bentocache> {
    const [main, memoryTier, redisTier, ioredis] = await Promise.all(
      ['bentocache', 'bentocache/drivers/memory', 'bentocache/drivers/redis', 'ioredis'].map(
        (specifier) => peers.load(specifier),
      ),
    );
    const modules = Object.assign({}, main, memoryTier, redisTier) as BentoModules;
    const { Redis } = ioredis as { Redis: new (url: string, options: object) => unknown };
    const { redisUrl, prefix, memory, autoPipelining = false } = options;
    const connection = new Redis(redisUrl, { enableAutoPipelining: autoPipelining });
    const { BentoCache, bentostore, memoryDriver, redisDriver } = modules;
    const store = memory ? bentostore().useL1Layer(memoryDriver(memory)) : bentostore();
    const bench = store.useL2Layer(redisDriver({ connection, prefix }));
    return new Bentocache(new BentoCache({ default: 'bench', stores: { bench } }));
  }

  private constructor(bento: Bento) {
    this.#bento = bento;
  }

  /** How many products it did not have. */
  get loads(): number {
    return this.#loads;
  }

  readonly read: Read = (id) =>
    this.#bento.getOrSet<Product>({
      key: peerKey(id),
      ttl: '1h',
      factory: () => {
        this.#loads++;
        return makeProduct(id);
      },
    });

  close(): Promise<void> {
    return this.#bento.disconnectAll();
  }
}
