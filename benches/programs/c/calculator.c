/* A calculator: a recursive descent parser that evaluates as it goes. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *at;
static jmp_buf failed;
static char message[64];

static double sum(void);

static void fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    longjmp(failed, 1);
}

static int accept(char symbol)
{
    while (isspace((unsigned char)*at)) {
        at++;
    }
    if (*at != symbol) {
        return 0;
    }
    at++;
    return 1;
}

static double factor(void)
{
    if (accept('-')) {
        return -factor();
    }
    if (accept('(')) {
        double inner = sum();
        if (!accept(')')) {
            fail("a parenthesis is missing");
        }
        return inner;
    }
    if (isdigit((unsigned char)*at)) {
        char *end;
        double number = strtod(at, &end);
        at = end;
        return number;
    }
    fail("a number was expected, not '%c'", *at ? *at : '.');
    return 0;
}

static double product(void)
{
    double left = factor();
    for (;;) {
        if (accept('*')) {
            left *= factor();
        } else if (accept('/')) {
            double right = factor();
            if (right == 0) {
                fail("division by zero");
            }
            left /= right;
        } else {
            return left;
        }
    }
}

static double sum(void)
{
    double left = product();
again:
    if (accept('+')) {
        left += product();
        goto again;
    }
    if (accept('-')) {
        left -= product();
        goto again;
    }
    return left;
}

int main(void)
{
    const char *const lines[] = {
        "1 + 2 * 3", "(1 + 2) * -(3 - 5)", "8 / (4 - 4)", "2 +", "10 / 4 / 5", "((7)", NULL,
    };
    volatile int errors = 0;
    for (const char *const *volatile line = lines; *line; line++) {
        at = *line;
        if (setjmp(failed) == 0) {
            double result = sum();
            if (!accept('\0')) {
                fail("unexpected '%c'", *at);
            }
            printf("%s -> %g\n", *line, result);
        } else {
            errors++;
            printf("%s -> error: %s\n", *line, message);
        }
    }
    return errors == 3 ? 0 : 1;
}
