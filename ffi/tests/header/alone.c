/* The header needs nothing before it, and can be there twice. */
#include <cbpii.h>
#include <cbpii.h>

int main(void)
{
    return cbpii_abi_version() == CBPII_ABI_VERSION ? 0 : 1;
}
