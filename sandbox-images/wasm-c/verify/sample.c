/* A word index: hash table, sorting, recursion over a tree, numbers, a file, errors by errno. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 7 };

struct word {
    struct word *next;
    size_t count;
    char text[];
};

struct tree {
    struct tree *less, *more;
    const struct word *word;
};

static const char text[] = "one two three two three three";
static struct word *table[BUCKETS];

static uint32_t hash(const char *name)
{
    uint32_t value = 2166136261u;
    while (*name)
        value = (value ^ (uint8_t)*name++) * 16777619u;
    return value;
}

static void count(const char *name, size_t length)
{
    struct word *word = calloc(1, sizeof *word + length + 1);
    memcpy(word->text, name, length);
    struct word **place = &table[hash(word->text) % BUCKETS];
    for (struct word *known = *place; known; known = known->next)
        if (!strcmp(known->text, word->text)) {
            known->count++;
            free(word);
            return;
        }
    word->count = 1;
    word->next = *place;
    *place = word;
}

static struct tree *insert(struct tree *tree, const struct word *word)
{
    if (!tree) {
        tree = calloc(1, sizeof *tree);
        tree->word = word;
    } else if (word->count < tree->word->count) {
        tree->less = insert(tree->less, word);
    } else {
        tree->more = insert(tree->more, word);
    }
    return tree;
}

static void show(const struct tree *tree)
{
    if (!tree)
        return;
    show(tree->less);
    printf("%-6s %zu\n", tree->word->text, tree->word->count);
    show(tree->more);
}

int main(void)
{
    for (const char *at = text; *at;) {
        size_t length = 0;
        while (isalpha((unsigned char)at[length]))
            length++;
        count(at, length);
        at += length + (at[length] == ' ');
    }
    struct tree *tree = NULL;
    for (int bucket = 0; bucket < BUCKETS; bucket++)
        for (const struct word *word = table[bucket]; word; word = word->next)
            tree = insert(tree, word);
    show(tree);
    printf("%.6f %" PRIu64 "\n", sqrt(2), (uint64_t)1 << 40);
    FILE *file = fopen("/tmp/none/such", "r");
    printf("%d %s\n", file == NULL, errno == ENOENT ? "ENOENT" : "other");
    return 0;
}
