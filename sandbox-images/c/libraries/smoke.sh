# Compiles and links a program with each header that a package offers; says how that went, and which
# flags it took. stdin: a line for each package: its name and its files, with tabs between.
set -eu
compiler=${1:-gcc}
ending=${2:-c}
cd /tmp
# Package, header, and the package's descriptions for pkgconf. Headers nearest to a folder of headers that
# descriptions name, or to the compiler's own, are offered; those below a folder by the folder's name, too.
awk -F '\t' '
    {
        pcs = ""; count = 0; split("", seen)
        for (i = 2; i <= NF; i++) {
            if ($i ~ /\/pkgconfig\/[^\/]*\.pc$/) {
                name = $i; sub(/.*\//, "", name); sub(/\.pc$/, "", name)
                pcs = pcs (pcs == "" ? "" : " ") name
            } else if ($i ~ /^usr\/include\// && $i ~ /(\.(h|hpp|hh|hxx|H)|\/[A-Za-z0-9_]+)$/) {
                name = substr($i, 13)
                sub(/^x86_64-linux-gnu\//, "", name)
                all[++count] = name
            }
        }
        if (count == 0) next
        print "P\t" $1 "\t" pcs
        for (i = 1; i <= count; i++) print "H\t" all[i]
    }' >offers
try() { # header flags...
    header=$1
    shift
    printf '#include <stdio.h>\n#include <%s>\nint main(void) { return 0; }\n' "$header" >"try.$ending"
    "$compiler" -w -o program "try.$ending" "$@" 2>said
}
finish() {
    [ -n "$package" ] || return 0
    flags=
    for pc in $pcs; do
        # One description of several is enough for most; a broken one is passed over.
        if more=$(pkgconf --cflags --libs "$pc" 2>/dev/null); then flags="$flags $more"; fi
    done
    # Each once; a word without a dash belongs to the one with a dash before it.
    flags=$(printf '%s\n' $flags | awk '
        function done() { if (held != "" && !seen[held]++) print held }
        held ~ /^-[^ ]*$/ && !/^-/ { held = held " " $0; next }
        { done(); held = $0 }
        END { done() }' | tr '\n' ' ')
    folders=/usr/include
    for flag in $flags; do
        case $flag in -I*) folders="$folders ${flag#-I}" ;; esac
    done
    # As programs write the names: from the nearest folder of headers.
    for folder in $folders; do printf '%s/\n' "${folder#/usr/include}"; done | sed 's,^/,,' >roots
    awk '
        NR == FNR { roots[++n] = ($0 == "/") ? "" : $0; next }
        {
            best = ""
            for (i = 1; i <= n; i++) if (index($0, roots[i]) == 1 && length(roots[i]) > length(best)) best = roots[i]
            name = substr($0, length(best) + 1)
            print gsub(/\//, "/", name) "\t" name
        }' roots headers | sort -s -n -k 1,1 | cut -f 2 | head -n 400 >names
    least=$(head -n 1 names | tr -cd / | wc -c)
    count=0
    while read -r header; do
        depth=$(printf %s "$header" | tr -cd / | wc -c)
        [ "$depth" -le $((least + 0)) ] && [ "$count" -lt 6 ] || break
        count=$((count + 1))
        # Without flags where it goes without.
        if try "$header"; then
            printf '%s\t%s\tok\t\n' "$package" "$header"
        elif [ -n "$flags" ] && try "$header" $flags; then
            printf '%s\t%s\tok\n' "$package" "$header"
        else
            why=$(grep -m 1 -E 'error|undefined|cannot find' said | tr '\t' ' ' | cut -c 1-200) || why=
            printf '%s\t%s\t%s\n' "$package" "$header" "${why:-it does not compile}"
        fi
    done <names >results
    # The libraries are the package's, whichever of its headers is included.
    awk -F '\t' -v flags="$flags" '{ print $1 "\t" $2 "\t" $3 (($3 == "ok") ? "\t" flags : "") }' results
    # What stands in folders of its own is known by the folder.
    if grep -q "$(printf '\tok')" results; then
        cut -d / -f 1 names | sort | uniq -c | awk '{ print $2 }' | while read -r top; do
            if grep -q "^$top/" names; then printf '%s\t%s\tok\n' "$package" "$top"; fi
        done | head -n 8
    fi
}
package=
while IFS="$(printf '\t')" read -r kind first second; do
    if [ "$kind" = P ]; then
        finish
        package=$first
        pcs=$second
        : >headers
    else
        printf '%s\n' "$first" >>headers
    fi
done <offers
finish
