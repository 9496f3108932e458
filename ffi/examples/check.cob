*> A check from COBOL: the library is called directly, without a line of C.
*>
*>     cobc -x -free -fstatic-call check.cob $(pkg-config --libs cbpii)
*>     CBPII_AMOUNT=59.90 ./check
*>
*> It prints YES, NO, or ERROR with code and message, and ends with 0, 1 or 2.
*> The settings are those of funds.c, and CBPII_AMOUNT.
*>
*> How C looks from here: a handle is a POINTER, passed BY VALUE; an output
*> parameter is a POINTER passed BY REFERENCE; NULL is OMITTED; a text ends with
*> x"00"; of a C bool only the lowest byte counts.
identification division.
program-id. check-funds.

environment division.
input-output section.
file-control.
    select text-file assign to text-path
        organization is line sequential
        file status is text-status.

data division.
file section.
fd text-file.
01 text-line             pic x(8192).

working-storage section.
*> From cbpii.h.
01 environment-sandbox   binary-long value 1.
01 environment-production binary-long value 2.
01 abi-version           binary-long value 1.

*> Handles.
01 bank                  pointer value null.
01 issuer                pointer value null.
01 client                pointer value null.
01 tokens                pointer value null.
01 request               pointer value null.
01 answer                pointer value null.
01 failure               pointer value null.

*> Texts for C: each with room for the x"00".
01 setting-name          pic x(30).
01 setting               pic x(1024).
01 bank-id               pic x(1025).
01 client-id             pic x(1025).
01 redirect-uri          pic x(1025).
01 chain-path            pic x(1025).
01 key-path              pic x(1025).
01 iban                  pic x(1025).
01 amount                pic x(1025).
01 origin                pic x(1025).
01 text-path             pic x(1024).
01 text-buffer               pic x(32768).
01 text-end           binary-long.

01 text-status           pic xx.
01 missing               pic x value "n".
01 environment-number    binary-long.
01 number-of-c           binary-long.
01 text-of-c             pointer.

linkage section.
01 c-text                pic x(4096).

procedure division.
main section.
    call "cbpii_abi_version" returning number-of-c
    if number-of-c not = abi-version
        display "ERROR the library has another interface; compile anew"
        move 2 to return-code
        stop run
    end-if

    perform make-bank
    if failure = null perform make-issuer end-if
    if failure = null
        call "cbpii_client_new" using by value bank by value issuer
            by reference omitted by reference client returning failure
    end-if
    if failure = null
        move "CBPII_TOKENS" to setting-name
        perform read-text
        call "cbpii_tokens_from_json" using by reference text-buffer
            by reference tokens returning failure
        move low-values to text-buffer
    end-if
    if failure = null perform ask end-if

    perform report-result
    perform free-all
    stop run.

make-bank section.
    move environment-production to environment-number
    accept setting from environment "CBPII_ENVIRONMENT"
        on exception continue
        not on exception
            if setting = "sandbox"
                move environment-sandbox to environment-number
            end-if
    end-accept
    move "CBPII_BANK" to setting-name
    perform get-setting
    string function trim(setting) x"00" delimited by size into bank-id
    call "cbpii_bank_by_id" using by reference bank-id
        by value environment-number by reference bank returning failure

    *> For tests: another address than the bank's, and its root certificate.
    accept setting from environment "CBPII_ORIGIN"
        on exception continue
        not on exception
            string function trim(setting) x"00" delimited by size into origin
            if failure = null
                call "cbpii_bank_set_origin" using by value bank
                    by reference origin returning failure
            end-if
            if failure = null
                move "CBPII_CA" to setting-name
                perform read-text
                call "cbpii_bank_add_trust_anchor" using by value bank
                    by reference text-buffer by value 1 returning failure
            end-if
    end-accept.

make-issuer section.
    move "CBPII_CLIENT_ID" to setting-name
    perform get-setting
    string function trim(setting) x"00" delimited by size into client-id
    move "CBPII_REDIRECT_URI" to setting-name
    perform get-setting
    string function trim(setting) x"00" delimited by size into redirect-uri
    call "cbpii_issuer_new" using by reference client-id
        by reference redirect-uri by reference issuer returning failure

    if failure = null
        move "CBPII_QWAC_CHAIN" to setting-name
        perform get-setting
        string function trim(setting) x"00" delimited by size into chain-path
        move "CBPII_QWAC_KEY" to setting-name
        perform get-setting
        string function trim(setting) x"00" delimited by size into key-path
        call "cbpii_issuer_set_transport_files" using by value issuer
            by reference chain-path by reference key-path
            by reference omitted returning failure
    end-if
    if failure = null
        move "CBPII_QSEALC_CHAIN" to setting-name
        perform get-setting
        string function trim(setting) x"00" delimited by size into chain-path
        move "CBPII_QSEALC_KEY" to setting-name
        perform get-setting
        string function trim(setting) x"00" delimited by size into key-path
        call "cbpii_issuer_set_seal_files" using by value issuer
            by reference chain-path by reference key-path
            by reference omitted returning failure
    end-if.

ask section.
    move "CBPII_IBAN" to setting-name
    perform get-setting
    string function trim(setting) x"00" delimited by size into iban
    move "CBPII_AMOUNT" to setting-name
    perform get-setting
    string function trim(setting) x"00" delimited by size into amount
    call "cbpii_funds_request_for_iban" using by reference z"ORDER-4711"
        by reference iban by reference amount by reference z"EUR"
        by reference request returning failure
    if failure = null
        call "cbpii_client_confirm_funds" using by value client
            by value tokens by value request by reference answer
            returning failure
    end-if.

report-result section.
    if failure = null
        call "cbpii_funds_confirmation_available" using by value answer
            returning number-of-c
        if function mod(number-of-c, 256) = 1
            display "YES"
            move 0 to return-code
        else
            display "NO"
            move 1 to return-code
        end-if
    else
        call "cbpii_error_code" using by value failure returning text-of-c
        perform show-text
        display "ERROR " function trim(text-buffer) ": " with no advancing
        call "cbpii_error_message" using by value failure returning text-of-c
        perform show-text
        display function trim(text-buffer)
        move 2 to return-code
    end-if.

*> Every free takes NULL.
free-all section.
    move return-code to number-of-c
    call "cbpii_error_free" using by value failure returning omitted
    call "cbpii_funds_confirmation_free" using by value answer returning omitted
    call "cbpii_funds_request_free" using by value request returning omitted
    call "cbpii_tokens_free" using by value tokens returning omitted
    call "cbpii_client_free" using by value client returning omitted
    call "cbpii_issuer_free" using by value issuer returning omitted
    call "cbpii_bank_free" using by value bank returning omitted
    move number-of-c to return-code.

*> The text a pointer of C points at, into text-buffer.
show-text section.
    move spaces to text-buffer
    set address of c-text to text-of-c
    string c-text delimited by x"00" into text-buffer.

*> A setting that is missing is an empty text, which the library refuses.
get-setting section.
    move spaces to setting
    accept setting from environment function trim(setting-name)
        on exception
            display "Set " function trim(setting-name) upon syserr
    end-accept.

*> The file that a setting names, its lines joined by x"0a", ended by x"00".
read-text section.
    perform get-setting
    move setting to text-path
    move low-values to text-buffer
    move 1 to text-end
    open input text-file
    perform until text-status not = "00"
        read text-file
            not at end
                string function trim(text-line trailing) x"0a" delimited by size
                    into text-buffer with pointer text-end
        end-read
    end-perform
    close text-file.
