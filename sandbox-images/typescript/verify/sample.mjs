// A shop's orders as a typed state machine: unions, generics, decorators' kin, errors, promises.
import { EventEmitter } from "node:events";
;

;

;





;





var Priority;;(function(Priority){
  Priority[Priority["Low"]=1]="Low";
  Priority[Priority["Normal"]=2]="Normal";
  Priority[Priority["High"]=10]="High";
})(Priority||(Priority={}));

class Illegal extends Error {
  constructor(
             from               ,
             to               ,
  ) {
    super(`an order that is ${from} cannot become ${to}`);;this.from=from;this.to=to;
  }
}

const allowed = {
  open: ["paid", "cancelled"],
  paid: ["sent", "cancelled"],
  sent: [],
  cancelled: [],
}                                                                   ;

function isOneOf                                   (value        , options   )                     {
  return options.includes(value);
}

         class Entity                             {
            static created = 0;
            constructor(                id    ) {;this.id=id;
    Entity.created += 1;
  }
  ;
  static get count()         {
    return this.created;
  }
}

class Order extends Entity         {
  #state        = { kind: "open" };
                   history                  = [];

  constructor(
    id        ,
            items        ,
           priority           = Priority.Normal,
  ) {
    super(id);;this.items=items;this.priority=priority;
  }

  get total()        {
    const cents = this.items.reduce((sum, { count, price }) => sum + count * price.cents, 0);
    return { cents, currency: this.items[0]?.price.currency ?? "EUR" };
  }

  become(next       )       {
    if (!isOneOf(next.kind, allowed[this.#state.kind])) throw new Illegal(this.#state.kind, next.kind);
    this.history.push(this.#state.kind);
    this.#state = next;
    return this;
  }

           describe()         {
    const detail = ((state       )         => {
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
    return `#${this.id} ${Priority[this.priority] .padEnd(6)} ${(cents / 100).toFixed(2).padStart(8)} ${currency} ${path}${detail}`;
  }
}

function sorted                              (list             , key                )      {
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

const eur = (amount        )        => ({ cents: Math.round(amount * 100), currency: "EUR" });
const bus = new EventEmitter();
bus.on("refused", (error         ) => console.log(`refused: ${error.message}`));

async function main(_input           )                {
  const orders = [
    new Order(3, [{ sku: "lamp", count: 2, price: eur(19.99) }], Priority.High),
    new Order(1, [{ sku: "desk", count: 1, price: eur(249) }, { sku: "nail", count: 100, price: eur(0.05) }]),
    new Order(2, [], Priority.Low),
  ];
  const steps                    = [
    [3, { kind: "paid", at: 1, by: "ann" }],
    [3, { kind: "sent", tracking: "T-42" }],
    [1, { kind: "sent", tracking: "T-43" }],
    [2, { kind: "cancelled" }],
    [2, { kind: "open" }],
  ];
  for (const [id, state] of steps) {
    await Promise.resolve();
    try {
      orders.find((order) => order.id === id) .become(state);
    } catch (error) {
      if (error instanceof Illegal) bus.emit("refused", error);
      else throw error;
    }
  }
  for (const order of sorted(orders, (each) => each.id)) console.log(order.describe());
  console.log(`${Order.count} orders`, new Map(orders.map((each) => [each.id, each.total.cents])));
}

void main();
