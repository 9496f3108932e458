// One of two files of a program in C++ that both include the header, twice.
#include <cbpii.h>
#include <cbpii.h>

bool versions_agree();

int main()
{
    cbpii_bank *bank = nullptr;
    cbpii_error *error = cbpii_bank_bpce("17515", CBPII_ENVIRONMENT_SANDBOX, &bank);
    bool found = error == nullptr && cbpii_bank_standard(bank) == CBPII_STANDARD_STET_1_4_2;
    cbpii_error_free(error);
    cbpii_bank_free(bank);
    return found && versions_agree() ? 0 : 1;
}
