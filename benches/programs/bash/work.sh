# A mixture of everyday work, repeated as often as the argument says.
insertion_sort() {
  local -a values=("$@")
  local index place value
  for ((index = 1; index < ${#values[@]}; index++)); do
    value=${values[index]}
    place=$index
    while ((place > 0 && values[place - 1] > value)); do
      values[place]=${values[place - 1]}
      place=$((place - 1))
    done
    values[place]=$value
  done
  sorted=("${values[@]}")
}

count_words() {
  local -A counts=()
  local word
  for word in $1; do
    word=${word//[.,]/}
    word=${word,,}
    counts[$word]=$((${counts[$word]:-0} + 1))
  done
  distinct=${#counts[@]}
}

grade() {
  case $1 in
    [0-4]) result=low ;;
    [5-8]) result=middle ;;
    *) result=high ;;
  esac
}

balance=0
for ((round = 0; round < ${1:-1}; round++)); do
  insertion_sort 7 3 9 1 8 2
  count_words "The cat saw the dog. The dog ran, the cat did not."
  grade $((round % 12))
  if [[ $result == high ]]; then
    balance=$((balance + distinct))
  else
    balance=$((balance - sorted[0]))
  fi
done
echo "$balance $result"
