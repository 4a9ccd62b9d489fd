// A shop's orders as a typed state machine: unions, generics, decorators' kin, errors, promises.
import { EventEmitter } from "node:events";
import type { Readable } from "node:stream";

type Money = { readonly cents: number; readonly currency: "EUR" | "USD" };

type State =
  | { kind: "open" }
  | { kind: "paid"; at: number; by: string }
  | { kind: "sent"; tracking: `T-${number}` }
  | { kind: "cancelled"; reason?: string };

interface Item {
  sku: string;
  count: number;
  price: Money;
}

enum Priority {
  Low = 1,
  Normal,
  High = 10,
}

class Illegal extends Error {
  constructor(
    readonly from: State["kind"],
    readonly to: State["kind"],
  ) {
    super(`an order that is ${from} cannot become ${to}`);
  }
}

const allowed = {
  open: ["paid", "cancelled"],
  paid: ["sent", "cancelled"],
  sent: [],
  cancelled: [],
} as const satisfies Record<State["kind"], readonly State["kind"][]>;

function isOneOf<const T extends readonly string[]>(value: string, options: T): value is T[number] {
  return options.includes(value);
}

abstract class Entity<Id extends string | number> {
  protected static created = 0;
  protected constructor(public readonly id: Id) {
    Entity.created += 1;
  }
  abstract describe(): string;
  static get count(): number {
    return this.created;
  }
}

class Order extends Entity<number> {
  #state: State = { kind: "open" };
  private readonly history: State["kind"][] = [];

  constructor(
    id: number,
    private items: Item[],
    public priority: Priority = Priority.Normal,
  ) {
    super(id);
  }

  get total(): Money {
    const cents = this.items.reduce((sum, { count, price }) => sum + count * price.cents, 0);
    return { cents, currency: this.items[0]?.price.currency ?? "EUR" };
  }

  become(next: State): this {
    if (!isOneOf(next.kind, allowed[this.#state.kind])) throw new Illegal(this.#state.kind, next.kind);
    this.history.push(this.#state.kind);
    this.#state = next;
    return this;
  }

  override describe(): string {
    const detail = ((state: State): string => {
      switch (state.kind) {
        case "paid":
          return ` by ${state.by}`;
        case "sent":
          return ` as ${state.tracking}`;
        case "cancelled":
          return ` (${state.reason ?? "no reason"})`;
        default:
          return "";
      }
    })(this.#state);
    const { cents, currency } = this.total;
    const path = [...this.history, this.#state.kind].join(" > ");
    return `#${this.id} ${Priority[this.priority]!.padEnd(6)} ${(cents / 100).toFixed(2).padStart(8)} ${currency} ${path}${detail}`;
  }
}

function sorted<T, K extends string | number>(list: Iterable<T>, key: (item: T) => K): T[] {
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

const eur = (amount: number): Money => ({ cents: Math.round(amount * 100), currency: "EUR" });
const bus = new EventEmitter();
bus.on("refused", (error: Illegal) => console.log(`refused: ${error.message}`));

async function main(_input?: Readable): Promise<void> {
  const orders = [
    new Order(3, [{ sku: "lamp", count: 2, price: eur(19.99) }], Priority.High),
    new Order(1, [{ sku: "desk", count: 1, price: eur(249) }, { sku: "nail", count: 100, price: eur(0.05) }]),
    new Order(2, [], Priority.Low),
  ];
  const steps: [number, State][] = [
    [3, { kind: "paid", at: 1, by: "ann" }],
    [3, { kind: "sent", tracking: "T-42" }],
    [1, { kind: "sent", tracking: "T-43" }],
    [2, { kind: "cancelled" }],
    [2, { kind: "open" }],
  ];
  for (const [id, state] of steps) {
    await Promise.resolve();
    try {
      orders.find((order) => order.id === id)!.become(state);
    } catch (error) {
      if (error instanceof Illegal) bus.emit("refused", error);
      else throw error;
    }
  }
  for (const order of sorted(orders, (each) => each.id)) console.log(order.describe());
  console.log(`${Order.count} orders`, new Map(orders.map((each) => [each.id, each.total.cents])));
}

void main();
