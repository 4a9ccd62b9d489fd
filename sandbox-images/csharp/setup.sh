#!/bin/sh
# The packages compile the core library and the compiler ahead of time on each machine, with addresses
# of Mono's memory, temporary names and a random id in the result. Here it is done again: at addresses
# that do not change from run to run, in a fixed environment since variables move them, under one name,
# for any processor; and twice, since what differs then is the id. It becomes zero: Mono compares the
# module ids of the assemblies, not this one. Another kernel may still move an address.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work" /tmp/mono-aot' EXIT
compile() {
    mkdir /tmp/mono-aot
    env -i PATH=/usr/bin:/bin setarch -R \
        mono "--aot=outfile=$2,temp-path=/tmp/mono-aot" -O=all,-simd "$1" </dev/null >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 1; }
    rm -r /tmp/mono-aot
}
files=$(ls /usr/lib/mono/aot-cache/*/*.so)
# Mono itself would run with them.
rm $files
for file in $files; do
    assembly=/usr/lib/mono/4.5/$(basename "$file" .so)
    compile "$assembly" "$work/one"
    # A byte of the id may be the same twice by chance; then another one is needed to see all of it.
    for _ in 1 2 3 4 5 6 7 8; do
        compile "$assembly" "$work/two"
        differs=$(cmp -l "$work/one" "$work/two" | tee "$work/differs" | wc -l)
        if [ "$differs" -eq 16 ] || [ "$differs" -eq 0 ]; then break; fi
    done
    if [ "$differs" -gt 16 ]; then
        echo "$file differs in more than its id" >&2
        exit 1
    fi
    while read -r place _; do
        printf '\0' | dd of="$work/one" bs=1 seek=$((place - 1)) conv=notrunc status=none
    done <"$work/differs"
    mv "$work/one" "$file"
done
