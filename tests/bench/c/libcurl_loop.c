/*
 * The same funds check as `cbpii_client_confirm_funds`, by hand on libcurl and OpenSSL: what a C programmer would write
 * who knows both well. One easy handle per thread, its options and header list made once; the seal's key and the
 * client's certificate parsed once; a fresh request id, date, digest and signature for every call.
 *
 * It sends the same headers and body as the library; only their order differs, for libcurl puts its own first.
 */
#define _POSIX_C_SOURCE 200809L

#include "works.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define USER_AGENT "cbpii/0.1.0"

enum {
    ID_LENGTH = 36,
    DATE_LENGTH = 29,
    HASH_LENGTH = 32,
    MOST_CHAIN = 8,
    MOST_SIGNATURE = 512,
    MOST_ANSWER = 16 * 1024,
    CONNECT_MILLISECONDS = 5000,
    CALL_MILLISECONDS = 10000
};

/* What all threads share; nobody writes to it once it is made. */
static struct {
    struct config config;
    int keeps;
    const char *path;
    EVP_PKEY *seal;
    EVP_MD *sha256;
    EVP_PKEY *tls_key;
    X509 *chain[MOST_CHAIN];
    size_t certificates;
    X509_STORE *trust;
} shared;

enum header { AUTHORIZATION, REQUEST_ID, DATE, DIGEST, CONTENT_TYPE, ACCEPT, SIGNATURE, HEADERS };

struct caller {
    CURL *curl;
    EVP_MD_CTX *hash;
    EVP_PKEY_CTX *sign;
    /* The header list that libcurl reads: its nodes and texts belong to this struct and change in place. */
    struct curl_slist headers[HEADERS];
    char authorization[4096];
    char request_id[sizeof "x-request-id: " + ID_LENGTH];
    char date[sizeof "date: " + DATE_LENGTH];
    char digest[sizeof "digest: SHA-256=" + 4 * (HASH_LENGTH + 2) / 3];
    char signature[512 + 4 * (MOST_SIGNATURE + 2) / 3];
    char body[512];
    char signed_text[512];
    char answer[MOST_ANSWER + 1];
    size_t answered;
    int looked_at_session;
    struct counts counts;
};

static int complain_of(const char *what)
{
    complain("libcurl_loop: %s", what);
    return 0;
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = NULL;

    if (file != NULL) {
        key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
    }
    if (key == NULL)
        complain("libcurl_loop: no private key in %s", path);
    return key;
}

/* The certificates of a PEM file, at most `most` of them; gives how many. */
static size_t read_certificates(const char *path, X509 **certificates, size_t most)
{
    FILE *file = fopen(path, "r");
    size_t count = 0;

    if (file != NULL) {
        while (count < most && (certificates[count] = PEM_read_X509(file, NULL, NULL, NULL)) != NULL)
            count++;
        fclose(file);
    }
    if (count == 0)
        complain("libcurl_loop: no certificate in %s", path);
    return count;
}

static int read_trust(const char *path)
{
    X509 *roots[MOST_CHAIN];
    size_t count = read_certificates(path, roots, MOST_CHAIN), i;
    int done = count > 0;

    shared.trust = X509_STORE_new();
    for (i = 0; i < count; i++) {
        done = done && shared.trust != NULL && X509_STORE_add_cert(shared.trust, roots[i]) == 1;
        X509_free(roots[i]);
    }
    return done;
}

int side_open(const struct config *config, int keeps)
{
    const char *authority = strstr(config->funds_url, "://");

    shared.config = *config;
    shared.keeps = keeps;
    shared.path = authority == NULL ? NULL : strchr(authority + 3, '/');
    if (shared.path == NULL)
        return complain_of("the bank's URL has no path");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return complain_of("curl_global_init failed");
    shared.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    shared.seal = read_key(config->seal_key);
    shared.tls_key = read_key(config->qwac_key);
    shared.certificates = read_certificates(config->qwac_chain, shared.chain, MOST_CHAIN);
    return shared.sha256 != NULL && shared.seal != NULL && shared.tls_key != NULL && shared.certificates > 0
           && read_trust(config->ca);
}

/*
 * Gives a new connection the certificate, key and trust that are parsed already. CURLOPT_SSLCERT and CURLOPT_SSLKEY read
 * and parse their files for each connection; with BENCH_TLS_FILES in the environment they are used all the same.
 */
static CURLcode identify(CURL *curl, void *context, void *user)
{
    SSL_CTX *tls = context;
    size_t i;

    (void)curl;
    (void)user;
    if (SSL_CTX_use_certificate(tls, shared.chain[0]) != 1 || SSL_CTX_use_PrivateKey(tls, shared.tls_key) != 1)
        return CURLE_SSL_CERTPROBLEM;
    for (i = 1; i < shared.certificates; i++) {
        if (SSL_CTX_add1_chain_cert(tls, shared.chain[i]) != 1)
            return CURLE_SSL_CERTPROBLEM;
    }
    SSL_CTX_set1_cert_store(tls, shared.trust);
    return CURLE_OK;
}

static size_t take(char *data, size_t size, size_t count, void *user)
{
    struct caller *caller = user;
    size_t length = size * count;

    if (length > MOST_ANSWER - caller->answered)
        return 0;
    memcpy(caller->answer + caller->answered, data, length);
    caller->answered += length;
    if (!caller->looked_at_session) {
        struct curl_tlssessioninfo *session = NULL;

        /* Only while the connection is open can it be asked. */
        caller->looked_at_session = 1;
        if (curl_easy_getinfo(caller->curl, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session != NULL
            && session->internals != NULL && SSL_session_reused(session->internals))
            caller->counts.resumed++;
    }
    return length;
}

static int set_options(struct caller *caller)
{
    CURL *curl = caller->curl;
    const struct config *config = &shared.config;
    CURLcode code = CURLE_OK;

#define SET(option, value)                                                                                             \
    do {                                                                                                               \
        if (code == CURLE_OK)                                                                                          \
            code = curl_easy_setopt(curl, option, value);                                                              \
    } while (0)
    SET(CURLOPT_URL, config->funds_url);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_PROXY, "");
    /* The bank listens on IPv4 only: no vain attempt on ::1 for each connection. */
    SET(CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MILLISECONDS);
    SET(CURLOPT_TIMEOUT_MS, (long)CALL_MILLISECONDS);
    SET(CURLOPT_DNS_CACHE_TIMEOUT, 30L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 1L);
    SET(CURLOPT_CAPATH, NULL);
    if (getenv("BENCH_TLS_FILES") != NULL) {
        SET(CURLOPT_CAINFO, config->ca);
        SET(CURLOPT_SSLCERT, config->qwac_chain);
        SET(CURLOPT_SSLKEY, config->qwac_key);
    } else {
        SET(CURLOPT_CAINFO, NULL);
        SET(CURLOPT_SSL_CTX_FUNCTION, identify);
    }
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, caller->body);
    SET(CURLOPT_USERAGENT, USER_AGENT);
    SET(CURLOPT_ACCEPT_ENCODING, "identity");
    SET(CURLOPT_HTTPHEADER, caller->headers);
    SET(CURLOPT_WRITEFUNCTION, take);
    SET(CURLOPT_WRITEDATA, caller);
    if (!shared.keeps) {
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
    }
#undef SET
    if (code != CURLE_OK)
        return complain_of(curl_easy_strerror(code));
    return 1;
}

static int prepare(struct caller *caller)
{
    char *const texts[HEADERS] = {
        caller->authorization,
        caller->request_id,
        caller->date,
        caller->digest,
        "content-type: application/json",
        "accept: application/hal+json, application/json",
        caller->signature,
    };
    int i, length;

    for (i = 0; i < HEADERS; i++) {
        caller->headers[i].data = texts[i];
        caller->headers[i].next = i + 1 < HEADERS ? &caller->headers[i + 1] : NULL;
    }
    length = snprintf(caller->authorization, sizeof caller->authorization, "authorization: Bearer %s",
                      shared.config.access_token);
    if (length < 0 || (size_t)length >= sizeof caller->authorization)
        return complain_of("the access token is too long");
    caller->curl = curl_easy_init();
    caller->hash = EVP_MD_CTX_new();
    caller->sign = EVP_PKEY_CTX_new(shared.seal, NULL);
    if (caller->curl == NULL || caller->hash == NULL || caller->sign == NULL)
        return complain_of("no memory");
    if (EVP_PKEY_sign_init(caller->sign) != 1 || EVP_PKEY_CTX_set_rsa_padding(caller->sign, RSA_PKCS1_PADDING) != 1
        || EVP_PKEY_CTX_set_signature_md(caller->sign, shared.sha256) != 1)
        return complain_of("the seal's key does not sign");
    return set_options(caller);
}

struct caller *caller_new(void)
{
    struct caller *caller = calloc(1, sizeof *caller);

    if (caller == NULL) {
        complain_of("no memory");
    } else if (!prepare(caller)) {
        caller_free(caller);
        caller = NULL;
    }
    return caller;
}

/* A random UUID (version 4). */
static int write_id(char *id)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    size_t i;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return 0;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *id++ = '-';
        *id++ = digits[bytes[i] >> 4];
        *id++ = digits[bytes[i] & 15];
    }
    *id = '\0';
    return 1;
}

/* IMF-fixdate. The process never leaves the C locale. */
static int write_date(char *date)
{
    time_t now = time(NULL);
    struct tm utc;

    return gmtime_r(&now, &utc) != NULL
           && strftime(date, DATE_LENGTH + 1, "%a, %d %b %Y %H:%M:%S GMT", &utc) == DATE_LENGTH;
}

static int hash(struct caller *caller, const char *text, size_t length, unsigned char *result)
{
    return EVP_DigestInit_ex2(caller->hash, shared.sha256, NULL) == 1
           && EVP_DigestUpdate(caller->hash, text, length) == 1
           && EVP_DigestFinal_ex(caller->hash, result, NULL) == 1;
}

/* Body and headers of a new request. */
static int write_request(struct caller *caller)
{
    const struct config *config = &shared.config;
    unsigned char hashed[HASH_LENGTH], signature[MOST_SIGNATURE];
    size_t signature_length = sizeof signature;
    char *id = caller->request_id + strlen("x-request-id: ");
    char *date = caller->date + strlen("date: ");
    char *digest = caller->digest + strlen("digest: ");
    int length;

    length = snprintf(caller->body, sizeof caller->body,
                      "{\"paymentCoverageRequestId\":\"%s\",\"instructedAmount\":{\"currency\":\"EUR\","
                      "\"amount\":\"%s\"},\"accountId\":{\"iban\":\"%s\"}}",
                      config->reference, config->amount, config->iban);
    if (length < 0 || (size_t)length >= sizeof caller->body)
        return complain_of("the body is too long");
    if (curl_easy_setopt(caller->curl, CURLOPT_POSTFIELDSIZE, (long)length) != CURLE_OK)
        return complain_of("libcurl takes no body");
    memcpy(caller->request_id, "x-request-id: ", strlen("x-request-id: "));
    memcpy(caller->date, "date: ", strlen("date: "));
    memcpy(caller->digest, "digest: SHA-256=", strlen("digest: SHA-256="));
    if (!write_id(id) || !write_date(date) || !hash(caller, caller->body, (size_t)length, hashed))
        return complain_of("no request id, date or digest");
    EVP_EncodeBlock((unsigned char *)digest + strlen("SHA-256="), hashed, HASH_LENGTH);

    length = snprintf(caller->signed_text, sizeof caller->signed_text,
                      "(request-target): post %s\ndate: %s\ndigest: %s\nx-request-id: %s", shared.path, date, digest,
                      id);
    if (length < 0 || (size_t)length >= sizeof caller->signed_text)
        return complain_of("the signed text is too long");
    if (!hash(caller, caller->signed_text, (size_t)length, hashed)
        || EVP_PKEY_sign(caller->sign, signature, &signature_length, hashed, HASH_LENGTH) != 1)
        return complain_of("OpenSSL did not sign");
    length = snprintf(caller->signature, sizeof caller->signature,
                      "signature: keyId=\"%s\",algorithm=\"rsa-sha256\","
                      "headers=\"(request-target) date digest x-request-id\",signature=\"",
                      config->client_id);
    if (length < 0 || (size_t)length + 4 * (signature_length + 2) / 3 + 2 > sizeof caller->signature)
        return complain_of("the signature is too long");
    length += EVP_EncodeBlock((unsigned char *)caller->signature + length, signature, (int)signature_length);
    memcpy(caller->signature + length, "\"", 2);
    return 1;
}

/* The answer to this request, and a yes. */
static int is_yes(const struct caller *caller)
{
    static const char member[] = "\"paymentCoverageRequestId\":\"";
    const char *echo = strstr(caller->answer, member);
    size_t length = strlen(shared.config.reference);

    if (echo == NULL)
        return 0;
    echo += sizeof member - 1;
    return strncmp(echo, shared.config.reference, length) == 0 && echo[length] == '"'
           && strstr(caller->answer, "\"result\":true") != NULL;
}

int caller_call(struct caller *caller)
{
    CURLcode code;
    long status = 0, connections = 0;

    if (!write_request(caller))
        return 0;
    caller->answered = 0;
    code = curl_easy_perform(caller->curl);
    if (code != CURLE_OK)
        return complain_of(curl_easy_strerror(code));
    caller->answer[caller->answered] = '\0';
    if (curl_easy_getinfo(caller->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200
        || !is_yes(caller)) {
        complain("libcurl_loop: not a yes, but %ld: %s", status, caller->answer);
        return 0;
    }
    if (curl_easy_getinfo(caller->curl, CURLINFO_NUM_CONNECTS, &connections) == CURLE_OK)
        caller->counts.connections += (unsigned long)connections;
    caller->looked_at_session = shared.keeps;
    return 1;
}

void caller_count(const struct caller *caller, struct counts *counts)
{
    counts->connections += caller->counts.connections;
    counts->resumed += caller->counts.resumed;
}

void caller_free(struct caller *caller)
{
    curl_easy_cleanup(caller->curl);
    EVP_MD_CTX_free(caller->hash);
    EVP_PKEY_CTX_free(caller->sign);
    free(caller);
}

void side_close(struct counts *counts)
{
    (void)counts;
    while (shared.certificates > 0)
        X509_free(shared.chain[--shared.certificates]);
    X509_STORE_free(shared.trust);
    EVP_PKEY_free(shared.tls_key);
    EVP_PKEY_free(shared.seal);
    EVP_MD_free(shared.sha256);
    curl_global_cleanup();
}
