# Compiles the layer's crates once, with their default features and for programs without optimisation, into
# usr/share/cargo/prebuilt; `index` there says which file a crate is, or why there is none. The argument is
# the folder that holds the layer's files.
set -eu
tree=$1
registry=$tree/usr/share/cargo/registry
place=$tree/usr/share/cargo/prebuilt
work=/tmp/all
mkdir -p "$work/.cargo" "$place"
cd "$work"
cat >.cargo/config.toml <<CONFIG
[source.crates-io]
replace-with = "layer"
[source.layer]
directory = "$registry"
[net]
offline = true
CONFIG
export CARGO_HOME=$work/.cargo PATH=$PATH:$tree/usr/bin LD_LIBRARY_PATH=$tree/usr/lib/x86_64-linux-gnu
export PKG_CONFIG_PATH=$tree/usr/lib/x86_64-linux-gnu/pkgconfig:$tree/usr/share/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$tree
export LIBRARY_PATH=$tree/usr/lib/x86_64-linux-gnu C_INCLUDE_PATH=$tree/usr/include:$tree/usr/include/x86_64-linux-gnu
export RUSTFLAGS="--remap-path-prefix=$tree=" CARGO_TERM_COLOR=never
: >lib.rs
: >taken
: >index
# The crates: name, and version without what SemVer calls its build.
for file in "$registry"/*/Cargo.toml; do
    awk '
        /^\[/ { inside = ($0 == "[package]") }
        inside && /^(name|version) *=/ { split($0, part, "\""); field[$1] = part[2] }
        END { sub(/\+.*/, "", field["version"]); print field["name"], field["version"] }' "$file"
done | awk 'NF == 2' | sort -u >known
# Those that were asked for, each in its newest version; cargo finds what they need on this system.
sort -k 1,1 -k 2,2Vr known | awk 'NR == FNR { wanted[$1] = 1; next } ($1 in wanted) && !seen[$1]++' "$registry/roots" - >left
fits() { # a file of crates, beside those that were taken
    {
        printf '[package]\nname = "all"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n'
        printf '[profile.dev]\ndebug = 0\nincremental = false\n[dependencies]\n'
        cat taken "$1" | awk '{ printf "k%d = { package = \"%s\", version = \"=%s\" }\n", NR, $1, $2 }'
    } >Cargo.toml
    rm -f Cargo.lock
    cargo generate-lockfile >out 2>said
}
refuse() { # a line of `left`, whose reason is in `said`
    why=$(grep -v -E '^ *$|Updating' said | head -n 2 | tr '\n\t' '  ' | sed -E "s#$registry##g; s/  +/ /g" | cut -c 1-200)
    printf '%s\t\t%s\n' "$1" "$why" >>index
    grep -v -x -F "$1" left >kept || true
    mv kept left
}
# What cargo cannot resolve is left out: the crate that it names last is the one that was asked for.
tries=0
until fits left; do
    tries=$((tries + 1))
    name=$(grep -o -E 'package `[A-Za-z0-9_-]+ v[0-9][^ `]*' said | grep -v '`all v' | tail -n 1 |
        sed -E 's/package `([A-Za-z0-9_-]+) v(.*)/\1 \2/; s/\+.*//')
    if [ -z "$name" ] || ! grep -q -x -F "$name" left; then
        name=$(grep -o -E '`[A-Za-z0-9_-]+' said | tr -d '`' | while read -r each; do grep -E "^$each " left || true; done | head -n 1)
    fi
    if [ -z "$name" ] || [ "$tries" -gt 400 ]; then
        break
    fi
    refuse "$name"
done
if ! fits left; then
    # It names nothing that could be left out: one by one.
    mv left each
    : >left
    while read -r line; do
        printf '%s\n' "$line" >one
        if fits one; then printf '%s\n' "$line" >>taken; else
            cp taken left
            refuse "$line"
        fi
    done <each
    : >one
    fits one
fi
cargo build --keep-going --ignore-rust-version --message-format=json >built 2>said || true
if ! grep -q '"reason":"compiler-artifact"' built; then
    grep -v Compiling said | head -n 10 >&2
    exit 1
fi
# Libraries and macros; for those asked for also where they are.
find target/debug/deps -name '*.rlib' -o -name 'lib*.so' | while read -r file; do cp "$file" "$place"; done
grep '"reason":"compiler-artifact"' built | grep -v '"custom-build"' | sed -n -E \
    's/.*"package_id":"[^"]*[#/]([A-Za-z0-9_-]+)@([^"]*)".*"target":\{"kind":\[[^]]*\],"crate_types":\[[^]]*\],"name":"([^"]*)".*"filenames":\["[^"]*\/([^"\/]*\.(rlib|so))".*/\1 \2\t\3\t\4/p' |
    sed -E 's/^([^\t]*)\+[^\t]*/\1/' | sort -u >made
grep -E '^error: could not compile' said | sed -E 's/^error: could not compile `([^`]*)`.*/\1/' | sort -u >broken
cut -f 1 made >names
cargo tree --prefix none -e normal,build 2>/dev/null | sed -n -E 's/^([A-Za-z0-9_-]+) v([^ +]*).*/\1 \2/p' |
    grep -v '^all ' | sort -u >needed
while read -r line; do
    if ! grep -q -x -F "$line" names; then
        name=${line% *}
        why="what it depends on does not compile"
        if grep -q -x -F "$name" broken; then
            why=$(awk -v name="$name" '/^error/ && !/could not compile/ { last = $0 } $0 ~ "could not compile `" name "`" { print last; exit }' said | tr '\t' ' ' | cut -c 1-200)
        fi
        printf '%s\t\t%s\n' "$line" "${why:-it does not compile}" >>index
    fi
done <needed
cat made index | sort -u >"$place/index"
# Other systems' crates were for cargo to choose from; and no program is compiled from what is for developers.
sed 's/ /-/' needed >keep
cut -f 1 index | sed 's/ /-/' >>keep
for folder in "$registry"/*/; do
    name=$(basename "$folder")
    if grep -q -x -F "${name%%+*}" keep; then
        rm -rf "$folder/tests" "$folder/benches" "$folder/examples" "$folder/docs" "$folder/fuzz"
    else
        rm -rf "$folder"
    fi
done
rm "$registry/roots"
