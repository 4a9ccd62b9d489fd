"""A mixture of everyday work, repeated as often as the argument says."""
import sys


class Account:
    def __init__(self, owner, balance):
        self.owner = owner
        self.balance = balance
        self.history = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("nothing to deposit")
        self.balance += amount
        self.history.append(amount)
        return self.balance


def insertion_sort(values):
    for index in range(1, len(values)):
        value = values[index]
        place = index
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value
    return values


def count_words(text):
    counts = {}
    for word in text.split():
        key = word.strip(".,").lower()
        counts[key] = counts.get(key, 0) + 1
    return counts


def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


def sieve(limit):
    prime = [True] * limit
    found = 0
    for number in range(2, limit):
        if not prime[number]:
            continue
        found += 1
        for multiple in range(number * number, limit, number):
            prime[multiple] = False
    return found


def one_round(seed):
    state = seed
    values = []
    for _ in range(40):
        state = (state * 1103515245 + 12345) % 2147483648
        values.append(state % 1000)
    ordered = insertion_sort(values)
    counts = count_words("The cat saw the dog. The dog, seeing the cat, ran off.")
    account = Account("Ada", 100)
    for amount in (5, 20, -1, 7):
        try:
            account.deposit(amount)
        except ValueError as error:
            counts[str(error)] = amount
    return ordered[0] + counts["the"] + account.balance + fibonacci(8) + sieve(120)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    total = 0
    for seed in range(rounds):
        total += one_round(seed)
    print("total", total)


main()
