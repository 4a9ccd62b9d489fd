/* A mixture of everyday work, repeated as often as the argument says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct account {
    const char *owner;
    long balance;
    int deposits;
};

static int deposit(struct account *account, long amount)
{
    if (amount <= 0) {
        return -1;
    }
    account->balance += amount;
    account->deposits++;
    return 0;
}

static void insertion_sort(int *values, int count)
{
    for (int index = 1; index < count; index++) {
        int value = values[index];
        int place = index;
        while (place > 0 && values[place - 1] > value) {
            values[place] = values[place - 1];
            place--;
        }
        values[place] = value;
    }
}

static int count_words(const char *text)
{
    int words = 0;
    int inside = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == ' ') {
            inside = 0;
        } else if (!inside) {
            inside = 1;
            words++;
        }
    }
    return words;
}

static int fibonacci(int n)
{
    if (n < 2) {
        return n;
    }
    return fibonacci(n - 1) + fibonacci(n - 2);
}

static int sieve(int limit)
{
    char prime[128];
    int found = 0;
    memset(prime, 1, sizeof prime);
    for (int number = 2; number < limit; number++) {
        if (!prime[number]) {
            continue;
        }
        found++;
        for (int multiple = number * number; multiple < limit; multiple += number) {
            prime[multiple] = 0;
        }
    }
    return found;
}

static long one_round(unsigned seed)
{
    unsigned state = seed;
    int values[40];
    for (int i = 0; i < 40; i++) {
        state = (state * 1103515245u + 12345u) % 2147483648u;
        values[i] = (int)(state % 1000u);
    }
    insertion_sort(values, 40);
    struct account account = { "Ada", 100, 0 };
    static const long amounts[] = { 5, 20, -1, 7 };
    int refused = 0;
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        if (deposit(&account, amounts[i]) != 0) {
            refused++;
        }
    }
    return values[0] + account.balance + refused + fibonacci(8) + sieve(120)
        + count_words("The cat saw the dog. The dog, seeing the cat, ran off.");
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) : 3;
    long total = 0;
    for (long seed = 0; seed < rounds; seed++) {
        total += one_round((unsigned)seed);
    }
    printf("total %ld\n", total);
    return 0;
}
