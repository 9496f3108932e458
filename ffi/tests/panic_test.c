/* No panic of the library gets out of it, whatever the shape of the function. */
#define _POSIX_C_SOURCE 200809L

#include "kit.h"

/* The payload of a panic in the destructor of a panic's payload is left alone on purpose: it might panic as well. */
extern const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:cbpii::guard::discard\nleak:cbpii*guard*discard\n";
}

typedef struct cbpii_testing_bomb cbpii_testing_bomb;

extern cbpii_error *cbpii_testing_panic_in_call(cbpii_bank **bank);
extern cbpii_error *cbpii_testing_panic_twice(void);
extern const char *cbpii_testing_panic_in_text(const cbpii_error *error);
extern int64_t cbpii_testing_panic_in_number(const cbpii_error *error);
extern bool cbpii_testing_panic_in_bool(const cbpii_error *error);
extern const char *cbpii_testing_panic_in_name(void);
extern cbpii_testing_bomb *cbpii_testing_bomb_new(void);
extern void cbpii_testing_bomb_free(cbpii_testing_bomb *bomb);

static void a_panic_in_a_call_is_the_error_internal(void **state)
{
    (void)state;
    cbpii_bank *bank = (cbpii_bank *)(void *)&kit_untouched;
    cbpii_error *error = ERROR(CBPII_ERROR_INTERNAL, cbpii_testing_panic_in_call(&bank));
    assert_ptr_equal(bank, &kit_untouched);
    assert_contains_not(cbpii_error_message(error), "s3cr3t");
    assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_NO);
    assert_null(cbpii_error_explanation(error));
    cbpii_error_free(error);
    ARGUMENT(cbpii_testing_panic_in_call(NULL));
}

static void a_panic_whose_payload_panics_is_one_too(void **state)
{
    (void)state;
    FAILS(CBPII_ERROR_INTERNAL, cbpii_testing_panic_twice());
}

static void a_panic_in_a_fact_is_its_absence(void **state)
{
    (void)state;
    cbpii_error *error = cbpii_error_new(CBPII_ERROR_INTERNAL, NULL);
    assert_null(cbpii_testing_panic_in_text(error));
    assert_int_equal(cbpii_testing_panic_in_number(error), -1);
    assert_false(cbpii_testing_panic_in_bool(error));
    assert_null(cbpii_testing_panic_in_name());
    /* The handle is as good as before. */
    assert_string_equal(cbpii_error_code(error), "internal");
    cbpii_error_free(error);
}

static void a_panic_at_the_end_of_a_handle_ends_there(void **state)
{
    (void)state;
    cbpii_testing_bomb *bomb = cbpii_testing_bomb_new();
    assert_non_null(bomb);
    cbpii_testing_bomb_free(bomb);
    cbpii_testing_bomb_free(NULL);
}

static void *panic_ten_times(void *unused)
{
    uintptr_t caught = 0;
    for (int round = 0; round < 10; round++) {
        cbpii_error *error = cbpii_testing_panic_twice();
        caught += cbpii_error_number(error) == CBPII_ERROR_INTERNAL;
        cbpii_error_free(error);
    }
    (void)unused;
    return (void *)caught;
}

static void panics_on_several_threads_are_caught_on_each(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t place = 0; place < 4; place++) {
        assert_int_equal(pthread_create(&threads[place], NULL, panic_ten_times, NULL), 0);
    }
    for (size_t place = 0; place < 4; place++) {
        void *caught = NULL;
        pthread_join(threads[place], &caught);
        assert_int_equal((uintptr_t)caught, 10);
    }
    assert_int_equal(cbpii_abi_version(), CBPII_ABI_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_panic_in_a_call_is_the_error_internal),
        cmocka_unit_test(a_panic_whose_payload_panics_is_one_too),
        cmocka_unit_test(a_panic_in_a_fact_is_its_absence),
        cmocka_unit_test(a_panic_at_the_end_of_a_handle_ends_there),
        cmocka_unit_test(panics_on_several_threads_are_caught_on_each),
    };
    /* What goes to the standard error is the place only. */
    setenv("RUST_BACKTRACE", "0", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
