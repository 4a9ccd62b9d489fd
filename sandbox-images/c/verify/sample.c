/* A word index: hash table, sorting, recursion over a tree, threads, errors by errno and longjmp. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 31, WORKERS = 4 };

struct word {
    struct word *next;
    size_t count;
    char text[];
};

struct tree {
    struct tree *less, *more;
    const struct word *word;
};

static struct word *table[BUCKETS];
static jmp_buf failed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char poem[] = "The fog comes\non little cat feet.\n"
                           "It sits looking\nover harbor and city\n"
                           "on silent haunches\nand then moves on.\n";

static unsigned hash(const char *text) {
    uint32_t value = UINT32_C(2166136261);
    while (*text)
        value = (value ^ (unsigned char)*text++) * UINT32_C(16777619);
    return value % BUCKETS;
}

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    longjmp(failed, 1);
}

static struct word *find(const char *text) {
    struct word **place = &table[hash(text)];
    for (; *place; place = &(*place)->next)
        if (strcmp((*place)->text, text) == 0)
            return *place;
    size_t length = strlen(text) + 1;
    struct word *word = calloc(1, sizeof *word + length);
    if (!word)
        fail("no memory for %zu bytes", length);
    memcpy(word->text, text, length);
    return *place = word;
}

static int by_count(const void *left, const void *right) {
    const struct word *a = *(struct word *const *)left, *b = *(struct word *const *)right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return strcmp(a->text, b->text);
}

static struct tree *insert(struct tree *tree, const struct word *word) {
    if (!tree) {
        tree = calloc(1, sizeof *tree);
        tree->word = word;
    } else if (strcmp(word->text, tree->word->text) < 0) {
        tree->less = insert(tree->less, word);
    } else {
        tree->more = insert(tree->more, word);
    }
    return tree;
}

static int drop(struct tree *tree, int depth, int show) {
    if (!tree)
        return depth;
    int left = drop(tree->less, depth + 1, show);
    if (show-- > 0)
        printf("%*s%s\n", 2 * depth, "", tree->word->text);
    int right = drop(tree->more, depth + 1, show);
    free(tree);
    return left > right ? left : right;
}

static void *integrate(void *argument) {
    static double total;
    double share = 0, *part = argument;
    for (int step = 0; step < 1000; step++)
        share += sin((*part + (step + 0.5) / 1000) * acos(-1) / WORKERS) * acos(-1) / WORKERS / 1000;
    pthread_mutex_lock(&lock);
    total += share;
    pthread_mutex_unlock(&lock);
    return &total;
}

static long number(const char *text) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 0);
    if (errno || *end)
        fail("%s: %s", text, errno ? strerror(errno) : "not a number");
    return value;
}

int main(void) {
    char *copy = strdup(poem), *rest = NULL;
    for (char *letter = copy; *letter; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    for (char *text = strtok_r(copy, " .\n", &rest); text; text = strtok_r(NULL, " .\n", &rest))
        find(text)->count++;
    struct word *words[64];
    size_t count = 0;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++)
        for (struct word *word = table[bucket]; word; word = word->next)
            words[count++] = word;
    qsort(words, count, sizeof *words, by_count);
    struct tree *root = NULL;
    for (size_t index = 0; index < count; index++) {
        if (index < 4)
            printf("%-8s %zu %.*s\n", words[index]->text, words[index]->count, (int)words[index]->count, "***");
        root = insert(root, words[index]);
    }
    printf("%zu words, %d deep\n", count, drop(root, 0, 1));
    const char *const texts[] = {"42", "0x7f", "99999999999999999999", "4x", "-7"};
    for (volatile size_t index = 0; index < sizeof texts / sizeof *texts; index++)
        if (setjmp(failed) == 0)
            printf("%ld\n", number(texts[index]));
    pthread_t threads[WORKERS];
    double starts[WORKERS], *total = NULL;
    for (int index = 0; index < WORKERS; index++) {
        starts[index] = index;
        if (pthread_create(&threads[index], NULL, integrate, &starts[index]) != 0)
            fail("no thread");
    }
    for (int index = 0; index < WORKERS; index++)
        pthread_join(threads[index], (void **)&total);
    printf("%.5f %" PRIu64 "\n", *total, UINT64_MAX);
    for (size_t index = 0; index < count; index++)
        free(words[index]);
    free(copy);
    return 0;
}
