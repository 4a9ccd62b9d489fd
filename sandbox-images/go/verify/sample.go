// A scheduler of build steps: parsing, graphs, interfaces, goroutines, channels, generics, errors.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

const makefile = `
app: parse eval | 40ms
parse: lex | 25ms
lex: | 10ms
eval: parse | 1s
docs | 5ms
test: app lex | soon
`

type Step struct {
	Name  string        `json:"name"`
	Needs []string      `json:"needs,omitempty"`
	Cost  time.Duration `json:"-"`
}

type syntaxError struct {
	line int
	text string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: cannot read %q", e.line, e.text) }

var errCycle = errors.New("steps need each other")

type Set[K comparable] map[K]struct{}

func (s Set[K]) Add(key K) bool {
	_, known := s[key]
	s[key] = struct{}{}
	return !known
}

func sortedKeys[M ~map[K]V, K cmp.Ordered, V any](m M) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func parse(text string) (map[string]*Step, error) {
	steps, problems := map[string]*Step{}, []error{}
	scanner := bufio.NewScanner(strings.NewReader(text))
	for line := 1; scanner.Scan(); line++ {
		if scanner.Text() == "" {
			continue
		}
		head, cost, _ := strings.Cut(scanner.Text(), "|")
		name, needs, found := strings.Cut(head, ":")
		duration, err := time.ParseDuration(strings.TrimSpace(cost))
		switch {
		case !found:
			problems = append(problems, &syntaxError{line, scanner.Text()})
		case err != nil:
			problems = append(problems, fmt.Errorf("line %d: %w", line, err))
		default:
			steps[name] = &Step{name, strings.Fields(needs), duration}
		}
	}
	return steps, errors.Join(problems...)
}

func order(steps map[string]*Step) (result []*Step, err error) {
	state := map[string]int{}
	var visit func(name string)
	visit = func(name string) {
		if state[name] == 1 {
			panic(fmt.Errorf("%w: %s", errCycle, name))
		}
		if state[name] == 0 {
			state[name] = 1
			for _, need := range steps[name].Needs {
				visit(need)
			}
			state[name], result = 2, append(result, steps[name])
		}
	}
	defer func() {
		if problem, is := recover().(error); is {
			result, err = nil, problem
		}
	}()
	for _, name := range sortedKeys(steps) {
		visit(name)
	}
	return result, nil
}

// run works each step in a goroutine of its own, once those it needs are done.
func run(ctx context.Context, steps []*Step) map[string]time.Duration {
	done, finished := map[string]chan struct{}{}, map[string]time.Duration{}
	for _, step := range steps {
		done[step.Name] = make(chan struct{})
	}
	var group sync.WaitGroup
	var lock sync.Mutex
	for _, step := range steps {
		group.Add(1)
		go func() {
			defer group.Done()
			defer close(done[step.Name])
			start := time.Duration(0)
			for _, need := range step.Needs {
				select {
				case <-done[need]:
				case <-ctx.Done():
					return
				}
				lock.Lock()
				start = max(start, finished[need])
				lock.Unlock()
			}
			lock.Lock()
			defer lock.Unlock()
			finished[step.Name] = start + step.Cost
		}()
	}
	group.Wait()
	return finished
}

func main() {
	steps, err := parse(makefile)
	var syntax *syntaxError
	fmt.Println(err, errors.As(err, &syntax), syntax.line)
	sequence, err := order(steps)
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	finished := run(context.Background(), sequence)
	for index, step := range sequence {
		fmt.Fprintf(table, "%d\t%s\t%v\t%v\t\n", index+1, step.Name, step.Cost, finished[step.Name])
	}
	table.Flush()
	encoded, _ := json.Marshal(sequence)
	fmt.Println(string(encoded), err)
	steps["lex"].Needs = []string{"app"}
	_, err = order(steps)
	fmt.Println(errors.Is(err, errCycle), err)
	words, seen := []string{"pear", "fig", "apple", "fig"}, Set[string]{}
	sort.Slice(words, func(i, j int) bool { return len(words[i]) < len(words[j]) })
	for _, word := range words {
		fmt.Printf("%-5s|%v ", word, seen.Add(word))
	}
	fmt.Printf("\n%08.3f %x %T %+v\n", 3.14159, "go", seen, struct{ A, B any }{1, nil})
}
