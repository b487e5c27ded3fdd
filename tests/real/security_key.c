/* A security key in software, for a real ssh-agent: the functions that OpenSSH's sk-api.h names, over libcrypto.
 *
 * A key's handle is its secret. The flags of a signature are those that were asked for, so a key that was made without
 * touch signs without the flag of a present user. The counter is kept in the file that KEYTURN_TEST_COUNTER names.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#ifndef VERSION
#define VERSION 0x000a0000
#endif
#define ED25519 1
#define UNSUPPORTED (-2)
#define FAILED (-1)
#define LENGTH 32

struct enrolled {
    uint8_t flags;
    uint8_t *public_key;
    size_t public_key_len;
    uint8_t *key_handle;
    size_t key_handle_len;
    uint8_t *signature;
    size_t signature_len;
    uint8_t *attestation_cert;
    size_t attestation_cert_len;
    uint8_t *authdata;
    size_t authdata_len;
};

struct signature {
    uint8_t flags;
    uint32_t counter;
    uint8_t *r;
    size_t r_len;
    uint8_t *s;
    size_t s_len;
};

static uint32_t next_count(void)
{
    const char *path = getenv("KEYTURN_TEST_COUNTER");
    unsigned count = 0;
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%u", &count) != 1)
            count = 0;
        fclose(file);
    }
    count++;
    if (path != NULL && (file = fopen(path, "w")) != NULL) {
        fprintf(file, "%u\n", count);
        fclose(file);
    }
    return count;
}

uint32_t sk_api_version(void)
{
    return VERSION;
}

int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len, const char *application, uint8_t flags,
              const char *pin, void **options, struct enrolled **response)
{
    struct enrolled *made;
    EVP_PKEY *key;
    size_t length = LENGTH;

    (void)challenge, (void)challenge_len, (void)application, (void)pin, (void)options;
    if (alg != ED25519)
        return UNSUPPORTED;
    made = calloc(1, sizeof(*made));
    made->flags = flags;
    made->key_handle = malloc(LENGTH);
    made->public_key = malloc(LENGTH);
    made->signature = calloc(1, 1);
    made->signature_len = 1;
    made->key_handle_len = made->public_key_len = LENGTH;
    if (RAND_bytes(made->key_handle, LENGTH) != 1)
        return FAILED;
    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, made->key_handle, LENGTH);
    if (key == NULL || EVP_PKEY_get_raw_public_key(key, made->public_key, &length) != 1)
        return FAILED;
    EVP_PKEY_free(key);
    *response = made;
    return 0;
}

int sk_sign(uint32_t alg, const uint8_t *message, size_t message_len, const char *application, const uint8_t *key_handle,
            size_t key_handle_len, uint8_t flags, const char *pin, void **options, struct signature **response)
{
    uint8_t data[2 * SHA256_DIGEST_LENGTH + 5];
    struct signature *made;
    EVP_MD_CTX *context;
    EVP_PKEY *key;
    size_t length = 64;

    (void)pin, (void)options;
    if (alg != ED25519 || key_handle_len != LENGTH)
        return UNSUPPORTED;
    made = calloc(1, sizeof(*made));
    made->flags = flags & 1;
    made->counter = next_count();
    made->r = malloc(length);
    SHA256((const uint8_t *)application, strlen(application), data);
    data[32] = made->flags;
    for (int place = 0; place < 4; place++)
        data[33 + place] = (uint8_t)(made->counter >> (24 - 8 * place));
    SHA256(message, message_len, data + 37);
    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key_handle, LENGTH);
    context = EVP_MD_CTX_new();
    if (key == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, made->r, &length, data, sizeof(data)) != 1)
        return FAILED;
    made->r_len = length;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    *response = made;
    return 0;
}

int sk_load_resident_keys(const char *pin, void **options, void ***keys, size_t *many)
{
    (void)pin, (void)options, (void)keys, (void)many;
    return UNSUPPORTED;
}
