/* An error of the kind the surroundings must find: a leaked handle, a string used after its end, an overflow. */
#include <cbpii.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Volatile, so that no compiler proves anything. */
static volatile int largest = INT_MAX;
static void *volatile kept;

static int leak(void)
{
    cbpii_bank *bank = NULL;
    cbpii_error_free(cbpii_bank_bpce("17515", CBPII_ENVIRONMENT_SANDBOX, &bank));
    int found = bank != NULL;
    kept = bank;
    kept = NULL;
    return found;
}

static int use_after_free(void)
{
    cbpii_bank *bank = NULL;
    cbpii_string *json = NULL;
    cbpii_error_free(cbpii_bank_bpce("17515", CBPII_ENVIRONMENT_SANDBOX, &bank));
    cbpii_error_free(cbpii_bank_to_json(bank, &json));
    cbpii_bank_free(bank);
    const char *volatile text = cbpii_string_text(json);
    cbpii_string_free(json);
    return text[0] == '{';
}

static int overflow(void)
{
    volatile int sum = largest + 1;
    return sum < 0;
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "nothing";
    int result = 1;
    if (strcmp(what, "leak") == 0) {
        result = leak();
        /* Nor may a register or the stack still have the pointer. */
        char blank[4096];
        memset(blank, 0, sizeof blank);
        result += blank[result & 7];
    } else if (strcmp(what, "use-after-free") == 0) {
        result = use_after_free();
    } else if (strcmp(what, "overflow") == 0) {
        result = overflow();
    }
    printf("%s: %d\n", what, result);
    return 0;
}
