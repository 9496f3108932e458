/* cbpii_openssl.h alone, and included twice. */
#include <cbpii_openssl.h>
#include <cbpii_openssl.h>

cbpii_error *signer_of(EVP_PKEY *key, cbpii_signer *signer);

cbpii_error *signer_of(EVP_PKEY *key, cbpii_signer *signer)
{
    return cbpii_openssl_signer(key, signer);
}
