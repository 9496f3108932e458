/*
 * A check signed by a hardware security module: the key of the QSealC stays behind PKCS#11, and the library gets
 * signatures only.
 *
 *     cc -o hsm_signer hsm_signer.c $(pkg-config --cflags --libs cbpii) $(pkg-config --cflags p11-kit-1) -ldl
 *     ./hsm_signer 59.90
 *
 * The header pkcs11.h is the standard one; p11-kit has it, and nothing else of p11-kit is used. Ends as funds.c does.
 * The settings are those of funds.c without CBPII_QSEALC_KEY, and
 *
 *     CBPII_PKCS11_MODULE  the module of the HSM's maker, e.g. /usr/lib/softhsm/libsofthsm2.so
 *     CBPII_PKCS11_TOKEN   the label of the token
 *     CBPII_PKCS11_KEY     the label of the private key, of type RSA
 *     CBPII_PKCS11_PIN     the PIN of the token's user
 */

#include <dlfcn.h>

#include <p11-kit/pkcs11.h>

#include "common.h"

/* What the callbacks get. It lives until the library calls close_hsm. */
typedef struct {
    void *module;
    CK_FUNCTION_LIST *p11;
    bool initialized;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE login; /* kept open: it keeps us logged in */
    CK_OBJECT_HANDLE key;
} hsm;

static cbpii_error *refused(const char *function, CK_RV code)
{
    char what[64];
    snprintf(what, sizeof what, "The PKCS#11 module answered 0x%lx.", (unsigned long)code);
    return problem(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED, what, function);
}

/* Called by the library from any thread, several at once: each signature has a PKCS#11 session of its own. */
static cbpii_error *sign(void *user_data, int32_t algorithm, const uint8_t *message, size_t message_length,
                         uint8_t *signature, size_t capacity, size_t *signature_length)
{
    const hsm *self = user_data;
    (void)algorithm; /* one was offered */
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session;
    CK_ULONG length = capacity;
    CK_RV code = self->p11->C_OpenSession(self->slot, CKF_SERIAL_SESSION, NULL, NULL, &session);
    if (code != CKR_OK)
        return refused("C_OpenSession", code);
    code = self->p11->C_SignInit(session, &mechanism, self->key);
    if (code == CKR_OK)
        code = self->p11->C_Sign(session, (CK_BYTE *)message, message_length, signature, &length);
    self->p11->C_CloseSession(session);
    if (code != CKR_OK)
        return refused("C_Sign", code);
    *signature_length = length;
    return NULL;
}

/* Called by the library once, when nothing signs any more. */
static void close_hsm(void *user_data)
{
    hsm *self = user_data;
    if (self->initialized)
        self->p11->C_Finalize(NULL); /* closes all sessions */
    if (self->module != NULL)
        dlclose(self->module);
    free(self);
}

static cbpii_error *load_module(hsm *self, const char *path)
{
    CK_C_GetFunctionList get_functions = NULL;
    CK_C_INITIALIZE_ARGS threads = {.flags = CKF_OS_LOCKING_OK};
    self->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (self->module != NULL)
        *(void **)&get_functions = dlsym(self->module, "C_GetFunctionList"); /* as POSIX writes it */
    if (get_functions == NULL)
        return problem(CBPII_ERROR_CONFIGURATION_OPTION, "The file is no PKCS#11 module.", path);
    CK_RV code = get_functions(&self->p11);
    if (code != CKR_OK)
        return refused("C_GetFunctionList", code);
    code = self->p11->C_Initialize(&threads);
    self->initialized = code == CKR_OK;
    return self->initialized ? NULL : refused("C_Initialize", code);
}

/* Labels of tokens are padded with blanks. */
static bool has_label(const CK_TOKEN_INFO *token, const char *label)
{
    size_t length = strlen(label);
    if (length > sizeof token->label || memcmp(token->label, label, length) != 0)
        return false;
    while (length < sizeof token->label && token->label[length] == ' ')
        length++;
    return length == sizeof token->label;
}

static cbpii_error *find_token(hsm *self, const char *label)
{
    CK_SLOT_ID slots[64];
    CK_ULONG count = sizeof slots / sizeof slots[0];
    CK_RV code = self->p11->C_GetSlotList(CK_TRUE, slots, &count);
    if (code != CKR_OK)
        return refused("C_GetSlotList", code);
    for (CK_ULONG place = 0; place < count; place++) {
        CK_TOKEN_INFO token;
        if (self->p11->C_GetTokenInfo(slots[place], &token) == CKR_OK && has_label(&token, label)) {
            self->slot = slots[place];
            return NULL;
        }
    }
    return problem(CBPII_ERROR_CONFIGURATION_KEY_UNREADABLE, "The module has no token with this label.", label);
}

static cbpii_error *log_in(hsm *self, const char *pin)
{
    CK_RV code = self->p11->C_OpenSession(self->slot, CKF_SERIAL_SESSION, NULL, NULL, &self->login);
    if (code != CKR_OK)
        return refused("C_OpenSession", code);
    code = self->p11->C_Login(self->login, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
    return code == CKR_OK ? NULL : refused("C_Login", code);
}

static cbpii_error *find_key(hsm *self, const char *label)
{
    CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &private_key, sizeof private_key}, {CKA_LABEL, (char *)label, strlen(label)}};
    CK_ULONG found = 0;
    CK_RV code = self->p11->C_FindObjectsInit(self->login, wanted, 2);
    if (code == CKR_OK) {
        code = self->p11->C_FindObjects(self->login, &self->key, 1, &found);
        self->p11->C_FindObjectsFinal(self->login);
    }
    if (code != CKR_OK)
        return refused("C_FindObjects", code);
    if (found == 0)
        return problem(CBPII_ERROR_CONFIGURATION_KEY_UNREADABLE, "The token has no private key with this label.", label);
    return NULL;
}

/* Gives the issuer a seal whose key is in the HSM. */
static cbpii_error *set_hsm_seal(cbpii_issuer *issuer)
{
    char chain[65536];
    size_t length = 0;
    const char *chain_path = setting("CBPII_QSEALC_CHAIN"), *module = setting("CBPII_PKCS11_MODULE");
    const char *token = setting("CBPII_PKCS11_TOKEN"), *key = setting("CBPII_PKCS11_KEY");
    const char *pin = setting("CBPII_PKCS11_PIN");
    if (module == NULL || token == NULL || key == NULL || pin == NULL)
        return cbpii_error_new(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED, "The HSM has not all its settings; set them.");
    hsm *self = calloc(1, sizeof *self);
    if (self == NULL)
        return cbpii_error_new(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED, "There is no memory left.");
    cbpii_error *error = read_file(chain_path, chain, sizeof chain, &length);
    if (!error)
        error = load_module(self, module);
    if (!error)
        error = find_token(self, token);
    if (!error)
        error = log_in(self, pin);
    if (!error)
        error = find_key(self, key);
    if (error) {
        close_hsm(self);
        return error;
    }
    static const int32_t algorithms[] = {CBPII_ALGORITHM_RSA_PKCS1_SHA256};
    const cbpii_signer signer = {
        .user_data = self, .sign = sign, .algorithms = algorithms, .algorithm_count = 1, .destroy = close_hsm};
    /* From here on the library calls close_hsm, also when this fails. */
    return cbpii_issuer_set_seal_signer(issuer, (const uint8_t *)chain, length, &signer);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s AMOUNT, for example %s 59.90\n", argv[0], argv[0]);
        return 2;
    }
    const char *iban = setting("CBPII_IBAN");
    cbpii_bank *bank = NULL;
    cbpii_issuer *issuer = NULL;
    cbpii_client *client = NULL;
    cbpii_tokens *tokens = NULL;
    cbpii_funds_request *request = NULL;
    cbpii_funds_confirmation *answer = NULL;
    int status = 2;

    cbpii_error *error = cbpii_bank_by_id(setting("CBPII_BANK"), environment_setting(), &bank);
    if (!error)
        error = use_origin_setting(bank);
    if (!error)
        error = cbpii_issuer_new(setting("CBPII_CLIENT_ID"), setting("CBPII_REDIRECT_URI"), &issuer);
    if (!error)
        error = cbpii_issuer_set_transport_files(issuer, setting("CBPII_QWAC_CHAIN"), setting("CBPII_QWAC_KEY"), NULL);
    if (!error)
        error = set_hsm_seal(issuer);
    if (!error)
        error = cbpii_client_new(bank, issuer, NULL, &client);
    if (!error)
        error = load_tokens(setting("CBPII_TOKENS"), &tokens);
    if (!error)
        error = cbpii_funds_request_for_iban("ORDER-4711", iban, argv[1], "EUR", &request);
    if (!error)
        error = cbpii_client_confirm_funds(client, tokens, request, &answer);

    if (error) {
        printf("no answer: ");
        print_error(error);
    } else {
        bool available = cbpii_funds_confirmation_available(answer);
        printf("%s, and the HSM signed the question\n",
               available ? "yes, the funds are there" : "no, the funds are not there");
        status = available ? 0 : 1;
    }

    cbpii_error_free(error);
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
    return status;
}
