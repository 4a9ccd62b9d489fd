"""Conway's game of life on a small torus, as text."""

START = """
........
..#.....
...#....
.###....
........
.....##.
.....##.
........
"""


def read(text):
    return [[cell == "#" for cell in row] for row in text.split()]


def neighbours(board, row, column):
    height, width = len(board), len(board[0])
    alive = 0
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            if down == 0 and right == 0:
                continue
            alive += board[(row + down) % height][(column + right) % width]
    return alive


def step(board):
    after = []
    for row, cells in enumerate(board):
        line = []
        for column, alive in enumerate(cells):
            around = neighbours(board, row, column)
            line.append(around == 3 or (alive and around == 2))
        after.append(line)
    return after


def show(board):
    return "\n".join("".join("#" if alive else "." for alive in row) for row in board)


def main():
    board = read(START)
    for generation in range(4):
        population = sum(map(sum, board))
        print(f"generation {generation}: {population} alive")
        print(show(board))
        board = step(board)


main()
