// A mixture of everyday work, repeated as often as the argument says.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

class Account {
public:
    Account(std::string owner, long balance) : owner_(std::move(owner)), balance_(balance) {}

    void deposit(long amount)
    {
        if (amount <= 0) {
            throw std::invalid_argument(owner_ + " deposits nothing");
        }
        balance_ += amount;
        history_.push_back(amount);
    }

    long balance() const { return balance_; }

private:
    std::string owner_;
    long balance_;
    std::vector<long> history_;
};

template <class T>
static void insertion_sort(std::vector<T> &values)
{
    for (std::size_t index = 1; index < values.size(); ++index) {
        T value = values[index];
        std::size_t place = index;
        while (place > 0 && values[place - 1] > value) {
            values[place] = values[place - 1];
            --place;
        }
        values[place] = value;
    }
}

static std::map<std::string, int> count_words(const std::string &text)
{
    std::map<std::string, int> counts;
    std::string word;
    for (char letter : text) {
        if (letter == ' ') {
            ++counts[word];
            word.clear();
        } else {
            word += letter;
        }
    }
    ++counts[word];
    return counts;
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
    std::vector<bool> prime(limit, true);
    int found = 0;
    for (int number = 2; number < limit; number++) {
        if (!prime[number]) {
            continue;
        }
        found++;
        for (int multiple = number * number; multiple < limit; multiple += number) {
            prime[multiple] = false;
        }
    }
    return found;
}

static long one_round(unsigned seed)
{
    unsigned state = seed;
    std::vector<int> values;
    for (int i = 0; i < 40; i++) {
        state = (state * 1103515245u + 12345u) % 2147483648u;
        values.push_back(static_cast<int>(state % 1000u));
    }
    insertion_sort(values);
    Account account("Ada", 100);
    int refused = 0;
    for (long amount : {5L, 20L, -1L, 7L}) {
        try {
            account.deposit(amount);
        } catch (const std::invalid_argument &) {
            refused++;
        }
    }
    auto even = std::count_if(values.begin(), values.end(), [](int n) { return n % 2 == 0; });
    return values[0] + account.balance() + refused + even + fibonacci(8) + sieve(120)
        + static_cast<long>(count_words("the cat saw the dog and the dog ran off").size());
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? std::atol(argv[1]) : 3;
    long total = 0;
    for (long seed = 0; seed < rounds; seed++) {
        total += one_round(static_cast<unsigned>(seed));
    }
    std::cout << "total " << total << "\n";
    return 0;
}
