import textwrap

import pytest

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow: pip install pyarrow")


def program(number: int) -> str:
    """A program that is kept; each number another one."""
    return textwrap.dedent(
        f"""
        def step_{number}(total, item):
            if item % {number % 5 + 2} == 0:
                total += item * {number + 1}
            else:
                total -= item
            return total

        result = {number}
        for item in range({number % 7 + 3}):
            result = step_{number}(result, item)
        print("result", result)
        """
    )


#: Never ends by itself, so it is rejected as `timeout`.
ENDLESS = "while True:\n    pass\n"


@pytest.fixture
def corpus():
    """A table of so many programs, each tenth of which is none."""

    def make(rows: int, first: int = 0):
        numbers = range(first, first + rows)
        texts = ["def broken(:\n" if n % 10 == 9 else program(n) for n in numbers]
        return pa.table(
            {
                "content": texts,
                "path": [f"src/p{n}.py" for n in numbers],
                "stars": pa.array(list(numbers), pa.int16()),
            }
        )

    return make
