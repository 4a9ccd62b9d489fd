"""Runs a program under PySnooper. Arguments: where to write, the program, its rounds."""
import io
import sys

import pysnooper

OUT, PROGRAM, ROUNDS = sys.argv[1:4]

with io.open(PROGRAM, encoding="utf-8") as source:
    code = compile(source.read(), PROGRAM, "exec")
sys.argv = [PROGRAM, ROUNDS]
with io.open(OUT, "w", encoding="utf-8") as out:
    with pysnooper.snoop(out, depth=100, color=False, max_variable_length=100):
        exec(code, {"__name__": "__main__", "__file__": PROGRAM})
