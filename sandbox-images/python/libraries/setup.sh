# Byte code by the image's own interpreter, valid whatever the time stamps of the sources. Some packages
# hold files that no interpreter reads, such as templates: those stay as they are.
python3 -I -m compileall -qq --invalidation-mode unchecked-hash -s "$1" -p / "$1" >/dev/null || true
