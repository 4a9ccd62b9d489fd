/* Ten million iterations of a loop. */
#include <stdio.h>

int main(void)
{
    long total = 0;
    for (long number = 0; number < 10000000; number++) {
        total = (total + number) % 1000003;
    }
    printf("%ld\n", total);
    return 0;
}
