"""Stock of a shop: orders, shortages, a report."""
from dataclasses import dataclass, field


class Shortage(Exception):
    def __init__(self, item, missing):
        super().__init__(f"{missing} too few of {item}")
        self.item = item
        self.missing = missing


@dataclass
class Item:
    name: str
    price: float
    count: int = 0


@dataclass
class Inventory:
    items: dict = field(default_factory=dict)
    log: list = field(default_factory=list)

    def add(self, name, price, count):
        item = self.items.get(name)
        if item is None:
            item = self.items[name] = Item(name, price)
        item.price = price
        item.count += count
        self.log.append(("add", name, count))
        return item

    def take(self, name, count):
        try:
            item = self.items[name]
        except KeyError:
            raise Shortage(name, count) from None
        if item.count < count:
            raise Shortage(name, count - item.count)
        item.count -= count
        self.log.append(("take", name, count))
        return item.price * count

    @property
    def value(self):
        return sum(item.price * item.count for item in self.items.values())


def fill(inventory):
    stock = [("bolt", 0.25, 400), ("nut", 0.2, 350), ("washer", 0.05, 1000), ("plate", 7.5, 12)]
    for name, price, count in stock:
        inventory.add(name, price, count)


def order(inventory, wanted):
    bill, refused = 0.0, []
    for name, count in wanted.items():
        try:
            bill += inventory.take(name, count)
        except Shortage as shortage:
            refused.append((shortage.item, shortage.missing))
        finally:
            inventory.log.append(("seen", name, 0))
    return bill, refused


def main():
    inventory = Inventory()
    fill(inventory)
    orders = [
        {"bolt": 40, "nut": 40, "washer": 80},
        {"plate": 10, "bolt": 200},
        {"plate": 5, "spring": 1, "washer": 100},
    ]
    total = 0.0
    for number, wanted in enumerate(orders, start=1):
        bill, refused = order(inventory, wanted)
        total += bill
        print(f"order {number}: {bill:.2f}", "refused:" if refused else "complete", *refused)
    low = [item.name for item in inventory.items.values() if item.count < 100]
    print(f"sold {total:.2f}, left {inventory.value:.2f}, low: {', '.join(low) or 'none'}")


if __name__ == "__main__":
    main()
