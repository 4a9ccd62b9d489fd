"""Shortest ways through a small network, three ways of looking for them."""
import heapq
from collections import defaultdict, deque

ROADS = [
    ("A", "B", 4), ("A", "C", 2), ("B", "C", 1), ("B", "D", 5),
    ("C", "D", 8), ("C", "E", 10), ("D", "E", 2), ("D", "F", 6), ("E", "F", 3),
]


def network(roads):
    graph = defaultdict(dict)
    for start, end, length in roads:
        graph[start][end] = length
        graph[end][start] = length
    return graph


def dijkstra(graph, start):
    distance = {start: 0}
    before = {}
    queue = [(0, start)]
    while queue:
        so_far, place = heapq.heappop(queue)
        if so_far > distance.get(place, so_far):
            continue
        for neighbour, length in graph[place].items():
            candidate = so_far + length
            if candidate < distance.get(neighbour, float("inf")):
                distance[neighbour] = candidate
                before[neighbour] = place
                heapq.heappush(queue, (candidate, neighbour))
    return distance, before


def way(before, start, end):
    steps = [end]
    while steps[-1] != start:
        steps.append(before[steps[-1]])
    return list(reversed(steps))


def fewest_roads(graph, start, end):
    seen = {start: None}
    waiting = deque([start])
    while waiting:
        place = waiting.popleft()
        if place == end:
            break
        for neighbour in sorted(graph[place]):
            if neighbour not in seen:
                seen[neighbour] = place
                waiting.append(neighbour)
    else:
        return None
    steps = []
    while end is not None:
        steps.append(end)
        end = seen[end]
    return steps[::-1]


def all_ways(graph, start, end, visited=()):
    visited = visited + (start,)
    if start == end:
        yield visited
        return
    for neighbour in sorted(graph[start]):
        if neighbour not in visited:
            yield from all_ways(graph, neighbour, end, visited)


def main():
    graph = network(ROADS)
    distance, before = dijkstra(graph, "A")
    for place in sorted(distance):
        print(place, distance[place], "-".join(way(before, "A", place)))
    print("fewest:", "-".join(fewest_roads(graph, "A", "F")))
    ways = list(all_ways(graph, "A", "F"))
    longest = max(ways, key=lambda steps: sum(graph[a][b] for a, b in zip(steps, steps[1:])))
    print(len(ways), "ways, the longest", "-".join(longest))


main()
