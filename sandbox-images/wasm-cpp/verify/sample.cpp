// A ledger: templates, ranges, variants, smart pointers, virtual calls, formatted text, no exceptions.
#include <algorithm>
#include <charconv>
#include <compare>
#include <format>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

struct Money {
    long long cents;
    auto operator<=>(const Money &) const = default;
    Money operator+(Money other) const { return {cents + other.cents}; }
};

std::ostream &operator<<(std::ostream &out, Money money) {
    return out << std::format("{}{}.{:02}", money.cents < 0 ? "-" : "", std::abs(money.cents) / 100,
                              std::abs(money.cents) % 100);
}

struct Deposit {
    std::string to;
    Money amount;
};
struct Transfer {
    std::string from, to;
    Money amount;
};
using Entry = std::variant<Deposit, Transfer>;

template <class... Ts> struct Match : Ts... {
    using Ts::operator()...;
};

static std::optional<Money> money(std::string_view text) {
    long long whole = 0;
    auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (problem != std::errc() || rest != text.data() + text.size())
        return std::nullopt;
    return Money{whole * 100};
}

static std::optional<Entry> entry(const std::string &line) {
    std::istringstream in(line);
    std::string kind, first, second, amount;
    in >> kind >> first;
    if (kind == "deposit" && in >> amount)
        if (auto value = money(amount))
            return Deposit{first, *value};
    if (kind == "transfer" && in >> second >> amount)
        if (auto value = money(amount))
            return Transfer{first, second, *value};
    return std::nullopt;
}

class Rule {
public:
    virtual ~Rule() = default;
    virtual bool allows(const std::map<std::string, Money> &balances, const Transfer &transfer) const = 0;
};

class NoDebt : public Rule {
public:
    bool allows(const std::map<std::string, Money> &balances, const Transfer &transfer) const override {
        auto found = balances.find(transfer.from);
        return found != balances.end() && found->second >= transfer.amount;
    }
};

int main() {
    std::istringstream book("deposit ann 30\ndeposit bob 5\ntransfer ann bob 12\ntransfer bob cid 40\n"
                            "deposit cid x\ntransfer bob cid 17\n");
    std::map<std::string, Money> balances;
    std::vector<std::unique_ptr<Rule>> rules;
    rules.push_back(std::make_unique<NoDebt>());
    int number = 0;
    for (std::string line; std::getline(book, line);) {
        ++number;
        auto read = entry(line);
        if (!read) {
            std::cout << "line " << number << ": cannot read \"" << line << "\"\n";
            continue;
        }
        std::visit(Match{[&](const Deposit &deposit) {
                             auto &balance = balances[deposit.to];
                             balance = balance + deposit.amount;
                         },
                         [&](const Transfer &transfer) {
                             bool fine = std::ranges::all_of(
                                 rules, [&](const auto &rule) { return rule->allows(balances, transfer); });
                             if (!fine) {
                                 std::cout << transfer.from << " has less than " << transfer.amount << "\n";
                                 return;
                             }
                             balances[transfer.from].cents -= transfer.amount.cents;
                             balances[transfer.to].cents += transfer.amount.cents;
                         }},
                   *read);
    }
    for (const auto &[name, balance] : balances)
        std::cout << std::format("{:>5}", name) << ' ' << balance << '\n';
    auto rich = balances | std::views::filter([](const auto &pair) { return pair.second > Money{1000}; });
    std::cout << std::ranges::distance(rich) << " above 10.00\n";
    std::vector<unsigned> squares(10);
    std::iota(squares.begin(), squares.end(), 1u);
    std::transform(squares.begin(), squares.end(), squares.begin(), [](unsigned n) { return n * n; });
    std::cout << std::accumulate(squares.begin(), squares.end(), 0u) << ' ' << std::hex << 255 << std::endl;
    auto shared = std::make_shared<std::function<int(int)>>();
    *shared = [weak = std::weak_ptr(shared)](int n) { return n < 2 ? n : (*weak.lock())(n - 1) + (*weak.lock())(n - 2); };
    std::cout << std::dec << (*shared)(15) << std::endl;
    return 0;
}
