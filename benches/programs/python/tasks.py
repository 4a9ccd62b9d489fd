"""Cooperative tasks: generators, a context manager, coroutines."""
import asyncio
from contextlib import contextmanager


@contextmanager
def section(title):
    print("begin", title)
    try:
        yield title
    finally:
        print("end", title)


def batches(items, size):
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def running_mean():
    total, count, mean = 0.0, 0, None
    while True:
        value = yield mean
        total += value
        count += 1
        mean = total / count


async def worker(name, queue, results):
    while True:
        item = await queue.get()
        if item is None:
            break
        await asyncio.sleep(0)
        results[item] = (name, item * item)
    return name


async def run():
    queue = asyncio.Queue()
    results = {}
    workers = [asyncio.create_task(worker(name, queue, results)) for name in ("one", "two")]
    for item in range(6):
        await queue.put(item)
    for _ in workers:
        await queue.put(None)
    names = await asyncio.gather(*workers)
    return names, results


def main():
    with section("batches"):
        print([sum(batch) for batch in batches(range(10), 4)])
    with section("mean"):
        mean = running_mean()
        next(mean)
        print([round(mean.send(value), 2) for value in (3, 4, 8)])
        mean.close()
    with section("workers"):
        names, results = asyncio.run(run())
        print(names, sorted((key, value[1]) for key, value in results.items()))


main()
