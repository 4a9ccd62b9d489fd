"""Ten million iterations of a loop in a function."""


def main():
    total = 0
    for number in range(10_000_000):
        total = (total + number) % 1_000_003
    print(total)


main()
