// The whole pass for Python.
#include "isa.h"
#include "network.h"

#define BISE_API extern "C" __attribute__((visibility("default")))

BISE_API int64_t bise_isa() { return bise::isa(); }

BISE_API int64_t bise_pass_bytes(const bise::Network* network, int64_t num_tokens) {
    return bise::pass_bytes(*network, num_tokens);
}

BISE_API void bise_run_pass(const bise::Network* network, const bise::Pass* pass, void* memory) {
    bise::run_pass(*network, *pass, static_cast<uint8_t*>(memory));
}
