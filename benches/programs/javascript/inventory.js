// Stock of a shop: orders, shortages, a report.
class Shortage extends Error {
  constructor(item, missing) {
    super(`${missing} too few of ${item}`);
    this.name = 'Shortage';
    this.item = item;
    this.missing = missing;
  }
}

class Inventory {
  #items = new Map();
  static seen = 0;

  constructor() {
    this.log = [];
  }

  add(name, price, count = 0) {
    let item = this.#items.get(name);
    if (item === undefined) {
      item = { name, price, count: 0 };
      this.#items.set(name, item);
    }
    item.price = price;
    item.count += count;
    this.log.push({ what: 'add', name, count });
    return item;
  }

  take(name, count) {
    const item = this.#items.get(name);
    const missing = count - (item?.count ?? 0);
    if (missing > 0) {
      throw new Shortage(name, missing);
    }
    item.count -= count;
    this.log.push({ what: 'take', name, count });
    return item.price * count;
  }

  get value() {
    let value = 0;
    for (const { price, count } of this.#items.values()) {
      value += price * count;
    }
    return value;
  }

  low(limit) {
    return [...this.#items.values()].filter((item) => item.count < limit).map((item) => item.name);
  }
}

function order(inventory, wanted) {
  let bill = 0;
  const refused = [];
  for (const [name, count] of Object.entries(wanted)) {
    try {
      bill += inventory.take(name, count);
    } catch (error) {
      if (!(error instanceof Shortage)) throw error;
      refused.push([error.item, error.missing]);
    } finally {
      Inventory.seen++;
    }
  }
  return { bill, refused };
}

function main() {
  const inventory = new Inventory();
  const stock = [['bolt', 0.25, 400], ['nut', 0.2, 350], ['washer', 0.05, 1000], ['plate', 7.5, 12]];
  stock.forEach(([name, price, count]) => inventory.add(name, price, count));
  const orders = [
    { bolt: 40, nut: 40, washer: 80 },
    { plate: 10, bolt: 200 },
    { plate: 5, spring: 1, washer: 100 },
  ];
  let total = 0;
  orders.forEach((wanted, number) => {
    const { bill, refused } = order(inventory, wanted);
    total += bill;
    const end = refused.length ? `refused: ${refused.map((pair) => pair.join(' ')).join(', ')}` : 'complete';
    console.log(`order ${number + 1}: ${bill.toFixed(2)} ${end}`);
  });
  console.log(`sold ${total.toFixed(2)}, left ${inventory.value.toFixed(2)}, low: ${inventory.low(100)}`);
}

main();
