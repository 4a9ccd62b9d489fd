# Loads each package's assemblies, then compiles and runs a program with a type of each of their namespaces;
# says how that went, and which flags it took. stdin: a line for each package: its name and its files.
set -eu
cd /tmp
awk -F '\t' '
    { for (i = 2; i <= NF; i++) if ($i ~ /\.dll$/ && $i ~ /^usr\/lib\/(mono|cli)\//) print $1 "\t/" $i }' >files
cat >Read.cs <<'CODE'
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
static class Read {
    static void Main() {
        var seen = new HashSet<string>();
        string line;
        while ((line = Console.ReadLine()) != null) {
            var words = line.Split('\t');
            // Short names in the folder of a profile are links to one place.
            if (!seen.Add(words[0] + Path.GetFileName(words[1]))) continue;
            string said = "", spaces = "";
            try {
                var types = Assembly.LoadFrom(words[1]).GetExportedTypes()
                    .Where(type => type.Namespace != null && !type.IsGenericType && !type.IsNested);
                var groups = types.GroupBy(type => type.Namespace)
                    .OrderByDescending(group => group.Count()).Take(6);
                spaces = string.Join(" ", groups.Select(group => group.Key + ":" + group.First().FullName));
                if (spaces == "") said = "it shows no types";
            } catch (Exception error) {
                said = (error.GetType().Name + ": " + error.Message).Split('\n')[0].Replace('\t', ' ');
            }
            Console.WriteLine(words[0] + "\t" + words[1] + "\t" + spaces + "\t" + said);
        }
    }
}
CODE
mcs -out:Read.exe Read.cs
mono Read.exe <files >read
while IFS="$(printf '\t')" read -r package file rest; do
    stem=$(basename "$file" .dll)
    case $rest in
    *:*) ;;
    *)
        printf '%s\t%s\t%s\n' "$package" "$stem" "$rest"
        continue
        ;;
    esac
    for pair in ${rest%%	*}; do
        space=${pair%%:*}
        printf 'class Try { static void Main() { System.Console.WriteLine(typeof(%s).FullName); } }\n' "${pair#*:}" >try.cs
        if mcs -nowarn:612,618,3002 "-r:$file" -out:try.exe try.cs >said 2>&1 && mono try.exe >said 2>&1; then
            printf '%s\t%s\tok\t-r:%s\n' "$package" "$space" "$file"
        else
            why=$(grep -m 1 -E 'error|Exception' said | tr '\t' ' ' | cut -c 1-200) || why=
            printf '%s\t%s\t%s\n' "$package" "$space" "${why:-it does not run}"
        fi
    done
done <read
