/* Stock of a shop: a linked list, orders, shortages, a report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOW 100
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef enum { TAKEN, UNKNOWN, SHORT } verdict;

typedef struct item {
    char name[16];
    double price;
    int count;
    struct item *next;
} item;

static item *stock = NULL;
static unsigned seen;

static item *find(const char *name)
{
    for (item *at = stock; at != NULL; at = at->next) {
        if (strcmp(at->name, name) == 0)
            return at;
    }
    return NULL;
}

static item *add(const char *name, double price, int count)
{
    item *known = find(name);
    if (known == NULL) {
        known = calloc(1, sizeof *known);
        if (known == NULL) {
            fputs("out of memory\n", stderr);
            exit(1);
        }
        strncpy(known->name, name, sizeof known->name - 1);
        known->next = stock;
        stock = known;
    }
    known->price = price;
    known->count += count;
    return known;
}

static verdict take(const char *name, int count, double *bill)
{
    item *known = find(name);
    seen++;
    if (known == NULL)
        return UNKNOWN;
    if (known->count < count)
        return SHORT;
    known->count -= count;
    *bill += known->price * count;
    return TAKEN;
}

static double value(void)
{
    double sum = 0;
    item *at = stock;
    while (at) {
        sum += at->price * at->count;
        at = at->next;
    }
    return sum;
}

static void empty(void)
{
    do {
        item *next = stock ? stock->next : NULL;
        free(stock);
        stock = next;
    } while (stock != NULL);
}

int main(void)
{
    static const struct { const char *name; double price; int count; } goods[] = {
        { "bolt", 0.25, 400 }, { "nut", 0.2, 350 }, { "washer", 0.05, 1000 }, { "plate", 7.5, 12 },
    };
    static const struct { const char *name; int count; } orders[] = {
        { "bolt", 40 }, { "nut", 40 }, { "plate", 10 }, { "plate", 5 }, { "spring", 1 },
    };
    double total = 0;
    for (size_t i = 0; i < COUNT(goods); i++)
        add(goods[i].name, goods[i].price, goods[i].count);
    for (size_t i = 0; i < COUNT(orders); i++) {
        double bill = 0;
        const char *word;
        switch (take(orders[i].name, orders[i].count, &bill)) {
        case TAKEN:
            word = "taken";
            break;
        case UNKNOWN:
            word = "unknown";
            break;
        case SHORT:
        default:
            word = "too few";
        }
        total += bill;
        printf("%-7s %3d %6.2f %s\n", orders[i].name, orders[i].count, bill, word);
    }
    int low = 0;
    for (item *at = stock; at; at = at->next)
        low += at->count < LOW ? 1 : 0;
    printf("sold %.2f, left %.2f, low %d, seen %u\n", total, value(), low, seen);
    empty();
    return 0;
}
