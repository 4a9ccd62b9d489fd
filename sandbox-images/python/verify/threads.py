"""Threads that share a lock, and calls that nest as deep as the module's stack does not allow."""
import threading
from functools import lru_cache


@lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


lock, total = threading.Lock(), [0]


def work(share):
    for number in share:
        with lock:
            total[0] += number


threads = [threading.Thread(target=work, args=(range(start, 1000, 4),)) for start in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(total[0], fibonacci(90))
