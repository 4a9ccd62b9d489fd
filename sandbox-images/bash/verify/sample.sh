#!/bin/bash
# A tiny ledger: reads bookings, sums accounts, reports, with functions, arrays, traps and pipes.
set -euo pipefail
shopt -s extglob
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"; echo "cleaned up"' EXIT

declare -A balance=() count=()
declare -a problems=()

warn() {
    problems+=("line $1: $2")
}

# Cents of an amount such as -12.5; fails on anything else.
cents() {
    local text=$1 sign=1
    [[ $text == -* ]] && sign=-1 && text=${text#-}
    [[ $text =~ ^([0-9]+)(\.([0-9]{1,2}))?$ ]] || return 1
    local whole=${BASH_REMATCH[1]} part=${BASH_REMATCH[3]:-0}
    [[ ${#part} -eq 1 ]] && part=${part}0
    echo $((sign * (10#$whole * 100 + 10#$part)))
}

money() {
    local value=$1 sign=
    ((value < 0)) && sign=- && value=$((-value))
    printf '%s%d.%02d' "$sign" $((value / 100)) $((value % 100))
}

book() {
    local line=$1 day account amount note value
    IFS=';' read -r day account amount note <<<"$2"
    account=${account##+( )}
    case $day in
        [0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]) ;;
        *)
            warn "$line" "no day: ${day:-nothing}"
            return 0
            ;;
    esac
    if ! value=$(cents "$amount"); then
        warn "$line" "no amount: $amount"
        return 0
    fi
    ((balance[$account] = ${balance[$account]:-0} + value, count[$account] = ${count[$account]:-0} + 1))
    printf '%s\t%s\t%d\t%s\n' "$day" "$account" "$value" "${note:--}" >>"$folder/journal"
}

number=0
while IFS= read -r line || [[ -n $line ]]; do
    ((++number))
    [[ -z $line || $line == \#* ]] && continue
    book "$number" "$line"
done <<'LEDGER'
# day;account;amount;note
2024-01-31;rent;-800;January
2024-02-01; food;-12.5;market
2024-02-01;salary;2400.07;
soon;food;-3;bread
2024-02-02;food;-7.05;"bread; butter"
2024-02-02;travel;twelve;bus
2024-02-29;rent;-800;February
LEDGER

echo "account     n   balance"
for account in $(printf '%s\n' "${!balance[@]}" | sort); do
    printf '%-8s %4d %9s\n' "$account" "${count[$account]}" "$(money "${balance[$account]}")"
done
printf 'problem: %s\n' "${problems[@]}"

echo "by month:"
awk -F'\t' '{ month[substr($1, 1, 7)] += $3 } END { for (m in month) print m, month[m] / 100 }' \
    "$folder/journal" | sort | sed 's/^/  /'
echo "largest: $(sort -t$'\t' -k3,3n "$folder/journal" | head -n 1 | cut -f 2,3 | tr '\t' ' ')"
echo "words: $(cut -f 4 "$folder/journal" | grep -oE '[[:alpha:]]+' | tr '[:upper:]' '[:lower:]' | sort -u | paste -sd,)"

hanoi() {
    local disks=$1 from=$2 to=$3 over=$4
    ((disks == 0)) && return
    hanoi $((disks - 1)) "$from" "$over" "$to"
    moves+=("$from$to")
    hanoi $((disks - 1)) "$over" "$to" "$from"
}
moves=()
hanoi 3 a c b
echo "moves: ${moves[*]}"

for index in 3 1 2; do
    { echo "worker $index: $(seq "$index" | xargs -n 1 expr 10 \* | paste -sd+ | bc)" >"$folder/out.$index"; } &
done
wait
cat "$folder"/out.{1..3}
if (false | true); then echo "not reached"; else echo "pipefail: $?"; fi
jq -c 'to_entries | map("\(.key)=\(.value)") | sort' <<<'{"b":2,"a":[1]}'
date -u -d '2024-02-28 +2 days' +%F
