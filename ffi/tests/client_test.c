/* Clients: what they are made of, their options, their connections. */
#include "kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void a_client_is_made_of_bank_issuer_and_options(void **state)
{
    (void)state;
    cbpii_bank *bank = kit_bank(kit_sandbox, NULL);
    cbpii_issuer *issuer = kit_issuer(kit_sandbox);
    cbpii_client *client = NULL;
    size_t before = sandbox_connections(kit_sandbox);
    OK(cbpii_client_new(bank, issuer, NULL, &client));
    assert_int_equal(sandbox_connections(kit_sandbox), before);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_client, none, cbpii_client_new(NULL, issuer, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_client, none, cbpii_client_new(bank, NULL, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_client, none,
            cbpii_client_new(bank, issuer, (cbpii_client_options *)(void *)bank, &none));
    ARGUMENT(cbpii_client_new(bank, issuer, NULL, NULL));
    cbpii_bank_free(bank);
    cbpii_issuer_free(issuer);
    cbpii_client_free(client);

    /* What it was made of can go before it is used. */
    client = kit_client(kit_sandbox, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    assert_true(kit_available(client, tokens, "1"));
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    cbpii_client_free(NULL);
}

static void a_record_that_cannot_be_used_makes_no_client(void **state)
{
    (void)state;
    cbpii_issuer *issuer = kit_issuer(kit_sandbox);
    cbpii_bank *bank = NULL;
    OK(cbpii_bank_from_json("{\"id\": \"own\", \"name\": \"Own Bank\", \"standard\": \"stet-1.4.2\"}", &bank));
    REFUSED(CBPII_ERROR_CONFIGURATION_ENDPOINT_MISSING, cbpii_client, none, cbpii_client_new(bank, issuer, NULL, &none));
    cbpii_bank_free(bank);
    bank = kit_bank(kit_sandbox, "\"client_authentication\": \"client_secret_post\"");
    REFUSED(CBPII_ERROR_CONFIGURATION_CLIENT_SECRET, cbpii_client, none, cbpii_client_new(bank, issuer, NULL, &none));
    cbpii_bank_free(bank);
    cbpii_issuer_free(issuer);
}

/* That a client with one further setting is refused, and with which number. */
#define UNUSABLE(number, setting)                                                              \
    do {                                                                                       \
        cbpii_client_options *options = kit_options();                                         \
        OK(setting);                                                                           \
        REFUSED(number, cbpii_client, none, cbpii_client_new(bank, issuer, options, &none));   \
        cbpii_client_options_free(options);                                                    \
    } while (0)

static void options_have_ranges(void **state)
{
    (void)state;
    cbpii_bank *bank = kit_bank(kit_sandbox, NULL);
    cbpii_issuer *issuer = kit_issuer(kit_sandbox);
    UNUSABLE(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_client_options_set_timeout(options, 0));
    UNUSABLE(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_client_options_set_timeout(options, 3600001));
    UNUSABLE(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_client_options_set_timeout(options, INT64_MAX));
    UNUSABLE(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_client_options_set_connect_timeout(options, 0));
    UNUSABLE(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_client_options_set_connect_timeout(options, 3600001));
    UNUSABLE(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_client_options_set_retries(options, 6));
    UNUSABLE(CBPII_ERROR_CONFIGURATION_PROXY, cbpii_client_options_set_proxy(options, "https://proxy.example"));
    UNUSABLE(CBPII_ERROR_CONFIGURATION_PROXY, cbpii_client_options_set_proxy(options, ""));
    cbpii_bank_free(bank);
    cbpii_issuer_free(issuer);

    cbpii_client_options *options = kit_options();
    ARGUMENT(cbpii_client_options_new(NULL));
    ARGUMENT(cbpii_client_options_set_timeout(NULL, 1000));
    ARGUMENT(cbpii_client_options_set_timeout(options, -1));
    ARGUMENT(cbpii_client_options_set_connect_timeout(NULL, 1000));
    ARGUMENT(cbpii_client_options_set_connect_timeout(options, -1));
    ARGUMENT(cbpii_client_options_set_max_idle_connections(NULL, 1));
    ARGUMENT(cbpii_client_options_set_max_idle_age(NULL, 1000));
    ARGUMENT(cbpii_client_options_set_max_idle_age(options, -1));
    ARGUMENT(cbpii_client_options_set_retries(NULL, 1));
    ARGUMENT(cbpii_client_options_set_proxy(NULL, "http://localhost"));
    ARGUMENT(cbpii_client_options_set_proxy(options, NULL));
    ARGUMENT(cbpii_client_options_set_proxy(options, NOT_UTF8));
    ARGUMENT(cbpii_client_options_set_check_eligibility(NULL, true));
    cbpii_client_options_free(options);
    cbpii_client_options_free(NULL);
}

/* How many connections a client with these options opens for two checks. */
static uint64_t connections_of(cbpii_client_options *options)
{
    cbpii_client *client = kit_client(kit_sandbox, options);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    assert_true(kit_available(client, tokens, "1"));
    assert_true(kit_available(client, tokens, "2"));
    uint64_t opened = cbpii_client_connections(client);
    assert_int_equal(cbpii_client_resumed_connections(client), opened - 1);
    assert_true(cbpii_client_name_lookups(client) >= 1);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    return opened;
}

static void connections_are_kept_as_the_options_say(void **state)
{
    (void)state;
    assert_int_equal(connections_of(NULL), 1);
    cbpii_client_options *options = kit_options();
    OK(cbpii_client_options_set_max_idle_connections(options, 0));
    assert_int_equal(connections_of(options), 2);
    options = kit_options();
    OK(cbpii_client_options_set_max_idle_age(options, 0));
    assert_int_equal(connections_of(options), 2);
    options = kit_options();
    OK(cbpii_client_options_set_max_idle_connections(options, 1));
    OK(cbpii_client_options_set_max_idle_age(options, 600000));
    assert_int_equal(connections_of(options), 1);
    assert_int_equal(cbpii_client_connections(NULL), 0);
    assert_int_equal(cbpii_client_resumed_connections(NULL), 0);
    assert_int_equal(cbpii_client_name_lookups(NULL), 0);
}

static void connections_can_be_opened_ahead(void **state)
{
    (void)state;
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    size_t ready = 77;
    OK(cbpii_client_warm_up(client, 3, &ready));
    assert_int_equal(ready, 3);
    assert_int_equal(cbpii_client_connections(client), 3);
    OK(cbpii_client_warm_up(client, 0, NULL));
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    assert_true(kit_available(client, tokens, "1"));
    assert_int_equal(cbpii_client_connections(client), 3);
    ready = 77;
    FAILS(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_client_warm_up(client, 257, &ready));
    ARGUMENT(cbpii_client_warm_up(NULL, 1, &ready));
    assert_int_equal(ready, 77);
    cbpii_client_free(client);

    sandbox_fault(kit_sandbox, "connection", 0, "{\"kind\": \"server_certificate\", \"certificate\": \"expired\"}");
    client = kit_client(kit_sandbox, NULL);
    FAILS(CBPII_ERROR_TLS_SERVER_CERTIFICATE_EXPIRED, cbpii_client_warm_up(client, 2, &ready));
    assert_int_equal(ready, 77);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

static void a_check_is_sent_again_as_often_as_allowed(void **state)
{
    (void)state;
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    for (uint32_t retries = 0; retries < 3; retries++) {
        cbpii_client_options *options = kit_options();
        OK(cbpii_client_options_set_retries(options, retries));
        cbpii_client *client = kit_client(kit_sandbox, options);
        sandbox_tell(kit_sandbox, "DELETE", "/requests", NULL);
        sandbox_fault(kit_sandbox, "funds", retries + 1, "{\"kind\": \"answer_lost\"}");
        REFUSED(CBPII_ERROR_NETWORK_DISCONNECTED, cbpii_funds_confirmation, none,
                cbpii_client_confirm_funds(client, tokens, request, &none));
        assert_int_equal(sandbox_seen(kit_sandbox, "funds"), retries + 1);
        assert_true(kit_available(client, tokens, "1"));
        cbpii_client_free(client);
    }
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
}

static void eligibility_is_checked_unless_that_is_not_wanted(void **state)
{
    (void)state;
    cbpii_bank *bank = kit_bank(kit_sandbox, NULL);
    cbpii_issuer *issuer = kit_issuer_variant(kit_sandbox, "other-role");
    cbpii_client_options *options = kit_options();
    cbpii_client *client = NULL;
    OK(cbpii_client_options_set_check_eligibility(options, true));
    REFUSED(CBPII_ERROR_ELIGIBILITY_NOT_A_CBPII, cbpii_client, none, cbpii_client_new(bank, issuer, options, &none));
    OK(cbpii_client_options_set_check_eligibility(options, false));
    OK(cbpii_client_new(bank, issuer, options, &client));
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    REFUSED(CBPII_ERROR_BANK_TPP_UNKNOWN, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds(client, tokens, request, &none));
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    cbpii_client_options_free(options);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
}

/* A proxy that refuses its one client. */
static void *refuse_tunnel(void *user_data)
{
    static const char answer[] = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    int client = accept(*(int *)user_data, NULL, NULL);
    char head[4096];
    size_t length = 0;
    while (length + 1 < sizeof head) {
        ssize_t count = recv(client, head + length, sizeof head - 1 - length, 0);
        if (count <= 0) {
            break;
        }
        length += (size_t)count;
        head[length] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL) {
            break;
        }
    }
    bool asked = strncmp(head, "CONNECT localhost:", 18) == 0;
    bool sent = send(client, answer, sizeof answer - 1, 0) > 0;
    close(client);
    return asked && sent ? user_data : NULL;
}

static void a_proxy_that_refuses_is_named(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    pthread_t proxy;
    assert_int_equal(pthread_create(&proxy, NULL, refuse_tunnel, &listener), 0);

    cbpii_client_options *options = kit_options();
    char *url = kit_text("http://127.0.0.1:%d", ntohs(address.sin_port));
    OK(cbpii_client_options_set_proxy(options, url));
    cbpii_client *client = kit_client(kit_sandbox, options);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    REFUSED(CBPII_ERROR_NETWORK_PROXY, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds(client, tokens, request, &none));
    void *honest = NULL;
    pthread_join(proxy, &honest);
    assert_ptr_equal(honest, &listener);
    close(listener);
    assert_int_equal(sandbox_seen(kit_sandbox, "funds"), 0);
    free(url);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

static void a_bank_that_wants_a_secret_gets_it(void **state)
{
    (void)state;
    const char *const arguments[] = {"--settings", "{\"client_authentication\": \"client_secret_basic\"}", NULL};
    sandbox *other = sandbox_start(arguments);
    cbpii_issuer *issuer = kit_issuer(other);
    OK(cbpii_issuer_set_client_secret(issuer, sandbox_text(other, "issuer.client_secret")));
    cbpii_client *client =
        kit_client_of(kit_bank(other, "\"client_authentication\": \"client_secret_basic\""), issuer, NULL);
    cbpii_tokens *tokens = kit_tokens(other, "CLAIRE"), *fresh = NULL;
    OK(cbpii_client_refresh(client, tokens, 0, NULL, &fresh));
    assert_true(kit_available(client, fresh, "1"));
    cbpii_tokens_free(fresh);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    sandbox_stop(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_client_is_made_of_bank_issuer_and_options),
        kit_test(a_record_that_cannot_be_used_makes_no_client),
        kit_test(options_have_ranges),
        kit_test(connections_are_kept_as_the_options_say),
        kit_test(connections_can_be_opened_ahead),
        kit_test(a_check_is_sent_again_as_often_as_allowed),
        kit_test(eligibility_is_checked_unless_that_is_not_wanted),
        kit_test(a_proxy_that_refuses_is_named),
        kit_test(a_bank_that_wants_a_secret_gets_it),
    };
    return kit_run(tests);
}
