/* The program's door: which role this process plays. */
#include <stdio.h>

int main(void)
{
    puts("tollgate");
    return 0;
}
