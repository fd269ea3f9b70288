import { defineLoader, type Loader } from '../src/index.ts';

/** How many there are: each side reads them in turn. */
export const PRODUCTS = 1_000;

export interface Product {
  readonly id: number;
  readonly title: string;
  readonly variants: readonly object[];
}

export type Read = (id: number) => Promise<Product>;

/** The products' loader, and how often it had to load. */
export class ProductSource {
  #loads = 0;

  readonly loader: Loader<number, Product> = defineLoader({
    name: 'product',
    ttl: '1h',
    load: (id: number): Product => {
      this.#loads++;
      return makeProduct(id);
    },
  });

  get loads(): number {
    return this.#loads;
  }
}

/** About 3 KB as msgpack, 6 KB as JSON: what an API answers. */
export function makeProduct(id: number): Product {
  const variants = Array.from({ length: 36 }, (_, at) => ({
    id: id * 100 + at,
    sku: `SKU-${id}-${at}`,
    color: ['navy', 'charcoal', 'moss', 'rust'][at % 4],
    size: ['S', 'M', 'L', 'XL'][at % 4],
    priceCents: 4_990 + at * 10,
    stock: (id + at * 7) % 40,
    warehouse: `eu-central-${at % 3}`,
    image: `https://cdn.example.com/img/${id}/${at}.webp`,
  }));
  return { id, title: 'Merino base layer, long sleeve', variants };
}

const PEER_KEYS = Array.from({ length: PRODUCTS }, (_, id) => `product:${id}`);

/** A product's key as the peers take it: ready-made, while Everwarm builds its own from the id. */
export function peerKey(id: number): string {
  const key = PEER_KEYS[id];
  if (key === undefined) throw new Error(`there is no product ${id}`);
  return key;
}

export function checkProduct(product: Product, id: number): void {
  if (product.id === id && product.variants.length > 0) return;
  throw new Error(`product ${id} read as ${product.id}`);
}
