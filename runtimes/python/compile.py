"""Compiles the emitter: `compile.py OUT` writes the code of the files beside it, by name.

Run once per interpreter; `sitecustomize` reads the result. Knows nothing of any program.
"""
import marshal
import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))


def main(out):
    codes = {}
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".py") and name not in ("sitecustomize.py", "compile.py"):
            with open(os.path.join(FOLDER, name), "rb") as file:
                codes[name] = compile(file.read(), "<tracer>", "exec", dont_inherit=True)
    with open(out, "wb") as file:
        file.write(marshal.dumps(codes))


main(sys.argv[1])
