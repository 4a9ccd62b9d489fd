// A mixture of everyday work, repeated as often as the argument says.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

type account struct {
	owner    string
	balance  int
	deposits int
}

func (a *account) deposit(amount int) error {
	if amount <= 0 {
		return fmt.Errorf("refused: %d", amount)
	}
	a.balance += amount
	a.deposits++
	return nil
}

func insertionSort(values []int) {
	for index := 1; index < len(values); index++ {
		value, place := values[index], index
		for place > 0 && values[place-1] > value {
			values[place] = values[place-1]
			place--
		}
		values[place] = value
	}
}

func countWords(text string) map[string]int {
	words := map[string]int{}
	for _, word := range strings.Fields(text) {
		words[strings.ToLower(word)]++
	}
	return words
}

func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

func squares(count int) (sum int) {
	results := make(chan int)
	go func() {
		for n := range count {
			results <- n * n
		}
		close(results)
	}()
	for square := range results {
		sum += square
	}
	return
}

func oneRound(seed int) int {
	state, values := seed, make([]int, 40)
	for i := range values {
		state = (state*1103515245 + 12345) % 2147483648
		values[i] = state % 1000
	}
	insertionSort(values)
	saver, refused := account{owner: "Ada", balance: 100}, 0
	for _, amount := range []int{5, 20, -1, 7} {
		if err := saver.deposit(amount); err != nil {
			refused++
		}
	}
	words := countWords("The cat saw the dog. The dog, seeing the cat, ran off.")
	return values[0] + saver.balance + refused + fibonacci(8) + squares(4) + len(words)
}

func main() {
	rounds, total := 3, 0
	if len(os.Args) > 1 {
		rounds, _ = strconv.Atoi(os.Args[1])
	}
	for seed := range rounds {
		total += oneRound(seed)
	}
	fmt.Println("total", total)
}
