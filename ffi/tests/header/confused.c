/* Correct as it stands; each mistake is a program that must not compile. */
#include <cbpii.h>

static bool next(void *user_data, cbpii_check *check)
{
    (void)user_data;
    (void)check;
    return false;
}

static bool take(void *user_data, void *context, const cbpii_funds_confirmation *confirmation, const cbpii_error *error)
{
    (void)user_data;
    (void)context;
    return confirmation != NULL && error == NULL;
}

int main(void)
{
    cbpii_bank *bank = NULL;
    cbpii_bank_list *banks = NULL;
    cbpii_error_free(cbpii_bank_bpce("17515", CBPII_ENVIRONMENT_SANDBOX, &bank));
    cbpii_error_free(cbpii_bank_list_directory(CBPII_ENVIRONMENT_SANDBOX, &banks));
    cbpii_error_free(cbpii_confirm_many(next, take, NULL, 1, 0, 0, NULL, NULL));
    const char *name = cbpii_bank_name(bank);
#ifdef MISTAKE_HANDLE
    name = cbpii_bank_name(banks);
#endif
#ifdef MISTAKE_OUTPUT
    cbpii_error_free(cbpii_bank_by_id("lydia", CBPII_ENVIRONMENT_SANDBOX, &banks));
#endif
#ifdef MISTAKE_FREE
    cbpii_bank_free(banks);
#endif
#ifdef MISTAKE_CALLBACK
    cbpii_error_free(cbpii_confirm_many(take, next, NULL, 1, 0, 0, NULL, NULL));
#endif
#ifdef MISTAKE_IGNORED
    cbpii_bank_set_origin(bank, "https://localhost");
#endif
    cbpii_bank_free(bank);
    cbpii_bank_list_free(banks);
    return name != NULL ? 0 : 1;
}
