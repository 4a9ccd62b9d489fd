# Compiles the packages of each library, without running them; says how that went.
# stdin: a line for each package: its name and its files, with tabs between.
set -eu
export GO111MODULE=off GOCACHE=/tmp/cache GOFLAGS=-buildvcs=false GODEBUG=installgoroot=all
cd /tmp
root=usr/share/gocode/src/
# Package and folder, for the folders nearest to the root that hold a package others may import.
awk -F '\t' -v root="$root" '
    {
        split("", seen); least = 99; count = 0
        for (i = 2; i <= NF; i++) {
            if (index($i, root) != 1 || $i !~ /\.go$/ || $i ~ /_test\.go$/) continue
            folder = substr($i, length(root) + 1)
            sub(/\/[^\/]*$/, "", folder)
            if (folder in seen || ("/" folder "/") ~ /\/(internal|vendor|testdata|cmd|examples?|_[^\/]*|tests?|hack|tools?|scripts?|docs?)\//) continue
            seen[folder] = 1
            depth = gsub(/\//, "/", folder)
            order[++count] = folder; deep[count] = depth
            if (depth < least) least = depth
        }
        kept = 0
        for (i = 1; i <= count && kept < 16; i++) if (deep[i] == least) { print $1 "\t" order[i]; kept++ }
    }' >names
# Many in one process: it compiles what they need once, and tells of each package that did not compile.
cut -f 2 names | sort -u >all
xargs -n 100 go list -e -export -gcflags=all=-l \
    -f '{{.ImportPath}}{{"\t"}}{{.Name}}{{"\t"}}{{.Export}}{{"\t"}}{{with .Error}}{{printf "%q" .Err}}{{end}}{{range .DepsErrors}} {{printf "%q" .Err}}{{end}}' \
    <all 2>said | awk -F '\t' 'NF >= 3' >compiled || true
# What was compiled has a file of exports.
awk -F '\t' '
    NR == FNR { name[$1] = $2; export[$1] = $3; error[$1] = $4; next }
    name[$2] == "main" { next }
    export[$2] != "" { print $1 "\t" $2 "\tok"; next }
    {
        why = error[$2]
        gsub(/"/, "", why)
        sub(/^ *(# [^\\]*\\n)?/, "", why)
        why = substr(why, 1, 200)
        print $1 "\t" $2 "\t" (why == "" ? "it does not compile" : why)
    }' compiled names
