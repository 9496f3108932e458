#include <cbpii.h>

bool versions_agree()
{
    return cbpii_abi_version() == CBPII_ABI_VERSION && cbpii_version() != nullptr;
}
