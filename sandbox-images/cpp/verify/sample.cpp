// Shortest paths over a parsed road map: templates, ranges, variants, smart pointers, exceptions, threads.
#include <algorithm>
#include <chrono>
#include <compare>
#include <format>
#include <functional>
#include <future>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <queue>
#include <ranges>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

using namespace std::literals;

struct Syntax : std::runtime_error {
    Syntax(int line, std::string_view text)
        : std::runtime_error(std::format("line {}: cannot read \"{}\"", line, text)), line(line) {}
    int line;
};

struct Road {
    std::string from, to;
    double length;
    auto operator<=>(const Road &) const = default;
};
struct Closed {
    std::string place;
};
using Entry = std::variant<Road, Closed>;

template <class... Ts> struct Match : Ts... {
    using Ts::operator()...;
};

class Map {
public:
    static Map parse(std::istream &in, const std::function<void(const Syntax &)> &complain) {
        Map map;
        std::string text;
        for (int line = 1; std::getline(in, text); ++line) try {
                map.add(entry(line, text));
            } catch (const Syntax &problem) {
                complain(problem);
            }
        return map;
    }

    [[nodiscard]] std::optional<std::pair<double, std::vector<std::string>>> path(const std::string &from,
                                                                                  const std::string &to) const {
        std::map<std::string, double> best{{from, 0.0}};
        std::map<std::string, std::string> before;
        using Step = std::pair<double, std::string>;
        std::priority_queue<Step, std::vector<Step>, std::greater<>> open;
        open.emplace(0.0, from);
        while (!open.empty()) {
            const auto [length, place] = open.top();
            open.pop();
            if (place == to) {
                std::vector<std::string> way{to};
                while (way.back() != from) way.push_back(before.at(way.back()));
                std::ranges::reverse(way);
                return std::pair{length, way};
            }
            if (closed_.contains(place) || !roads_.contains(place)) continue;
            for (const auto &[next, step] : roads_.at(place)) {
                auto [known, fresh] = best.try_emplace(next, std::numeric_limits<double>::infinity());
                if (length + step >= known->second) continue;
                known->second = length + step;
                before[next] = place;
                open.emplace(known->second, next);
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] auto places() const { return roads_ | std::views::keys; }

private:
    static Entry entry(int line, const std::string &text) {
        std::istringstream words(text);
        std::string from, dash, to, unit;
        double length = 0;
        if (words >> from >> dash && dash == "closed" && words.eof()) return Closed{from};
        if (dash == "-" && words >> to >> length >> unit && unit == "km") return Road{from, to, length};
        throw Syntax(line, text);
    }

    void add(const Entry &entry) {
        std::visit(Match{[this](const Road &road) {
                             roads_[road.from].emplace_back(road.to, road.length);
                             roads_[road.to].emplace_back(road.from, road.length);
                         },
                         [this](const Closed &closed) { closed_.insert(closed.place); }},
                   entry);
    }

    std::map<std::string, std::vector<std::pair<std::string, double>>> roads_;
    std::set<std::string> closed_;
};

int main() {
    std::istringstream text("Ulm - Bonn 4.5km\nBonn - Kiel 2km\nUlm - Jena 1.25km\nJena - Kiel 9km\n"
                            "Jena to Hof\nJena - Bonn 2.5km\nHof - Graz 3km\nBonn closed\n");
    auto map = std::make_shared<const Map>(
        Map::parse(text, [](const Syntax &problem) { std::cout << problem.what() << '\n'; }));
    std::mutex mutex;
    std::map<std::string, std::string> answers;
    std::vector<std::jthread> threads;
    for (const auto &to : {"Bonn"s, "Kiel"s, "Graz"s})
        threads.emplace_back([&, to] {
            std::ostringstream line;
            if (const auto found = map->path("Ulm", to)) {
                line << std::format("{:6.2f} km", found->first);
                for (const auto &place : found->second) line << ' ' << place;
            } else {
                line << "no way";
            }
            const std::scoped_lock guard(mutex);
            answers.emplace(to, line.str());
        });
    threads.clear();
    for (const auto &[to, answer] : answers) std::cout << std::format("{:>5}: {}\n", to, answer);
    auto lengths = map->places() | std::views::transform(&std::string::size) | std::views::filter([](auto n) { return n > 3; });
    std::cout << std::accumulate(lengths.begin(), lengths.end(), std::size_t{0}) << ' '
              << std::async(std::launch::async, [] { return std::chrono::duration_cast<std::chrono::minutes>(36h).count(); }).get() << '\n';
    try {
        static_cast<void>(std::vector<int>(3).at(7));
    } catch (const std::out_of_range &) {
        std::cout << std::boolalpha << "out of range " << (Road{"a", "b", 1} < Road{"a", "c", 0}) << '\n';
    }
}
