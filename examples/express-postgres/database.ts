// PostgreSQL in this process (PGlite), so that the example needs no server; with one of your own, `pg` is used the same way.
import { PGlite } from '@electric-sql/pglite';

export interface Sales {
  readonly product: string;
  readonly orders: number;
  readonly cents: number;
}

export interface Order {
  readonly id: string;
  readonly shop: string;
  readonly product: string;
  readonly cents: number;
}

const db = new PGlite();
await db.exec(`
  CREATE TABLE orders (id uuid PRIMARY KEY, shop text NOT NULL, product text NOT NULL, cents integer NOT NULL);
  INSERT INTO orders
  SELECT gen_random_uuid(), 'shop-' || n % 3, 'sku-' || n % 10, 500 + n % 1000
  FROM generate_series(1, 9000) AS n;
`);

/** What a shop has sold: slow, as it reads all of its orders. */
export async function salesOf(shop: string): Promise<Sales[]> {
  const { rows } = await db.query<Sales>(
    `SELECT product, count(*)::int AS orders, sum(cents)::int AS cents
     FROM orders WHERE shop = $1 GROUP BY product ORDER BY product`,
    [shop],
  );
  return rows;
}

export async function orderOf(id: string): Promise<Order | undefined> {
  const { rows } = await db.query<Order>('SELECT * FROM orders WHERE id = $1', [id]);
  return rows[0];
}

/** Answers the order as the database has it. */
export async function insertOrder(order: Order): Promise<Order | undefined> {
  const { rows } = await db.query<Order>('INSERT INTO orders VALUES ($1, $2, $3, $4) RETURNING *', [
    order.id,
    order.shop,
    order.product,
    order.cents,
  ]);
  return rows[0];
}

export const closeDatabase = (): Promise<void> => db.close();
