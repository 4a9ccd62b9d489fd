import sys
print("out", *sys.argv[1:])
print("err", file=sys.stderr)
sys.exit(3)
