# Compiles, links and runs a program with each crate, as setup.sh compiled it; says how that went, and which
# flags it took. stdin: a line for each crate: its name, and that of its library.
set -eu
cd /tmp
place=/usr/share/cargo/prebuilt
while IFS="$(printf '\t')" read -r package known; do
    # Of several versions the newest.
    line=$(awk -F '\t' -v name="$package " 'index($1, name) == 1' $place/index | sort -k 2,2V | tail -n 1)
    library=$(printf '%s' "$line" | cut -f 2)
    file=$(printf '%s' "$line" | cut -f 3)
    if [ -z "$library" ]; then
        printf '%s\t%s\t%s\n' "$package" "$known" "${file:-it is not among those that were compiled}"
        continue
    fi
    printf '#[allow(unused_imports)]\nuse %s as _;\nfn main() {}\n' "$library" >try.rs
    flags="--extern=$library=$place/$file -Ldependency=$place"
    if rustc --edition=2021 -o try try.rs $flags 2>said && ./try 2>said; then
        printf '%s\t%s\tok\t%s\n' "$package" "$library" "$flags"
    else
        why=$(grep -m 1 -E 'error|undefined|cannot find|panicked' said | tr '\t' ' ' | cut -c 1-200) || why=
        printf '%s\t%s\t%s\n' "$package" "$library" "${why:-it does not link}"
    fi
done
