// The whole pass for Python.
#include <new>

#include "isa.h"
#include "network.h"

#define BISE_API extern "C" __attribute__((visibility("default")))

BISE_API int64_t bise_isa() { return bise::isa(); }

// By which Python sees whether it was written for this very library.
BISE_API int64_t bise_struct_bytes(int64_t which) {
    using namespace bise;
    constexpr int64_t SIZES[] = {sizeof(Network), sizeof(Layer), sizeof(Pass),   sizeof(Cache),
                                 sizeof(Span),    sizeof(Matrix), sizeof(Mixture)};
    return SIZES[which];
}

BISE_API bise::Residency* bise_residency(const bise::Network* network, int64_t budget_bytes,
                                         int64_t file, const void* mapped) {
    const int64_t num_experts = network->layers[0].mixture.num_experts;
    auto* made = new bise::Residency(budget_bytes, network->num_layers, num_experts, int(file),
                                     static_cast<const uint8_t*>(mapped));
    for (int64_t layer = 0; layer < network->num_layers; ++layer)
        for (int64_t expert = 0; expert < num_experts; ++expert)
            made->describe(layer, expert, network->layers[layer].mixture.experts[expert]);
    return made;
}

BISE_API void bise_residency_counts(const bise::Residency* one, int64_t* counts) {
    const bise::ResidencyCounts found = one->counts();
    counts[0] = found.asked, counts[1] = found.found, counts[2] = found.guessed_right;
    counts[3] = found.read_bytes, counts[4] = found.resident_bytes;
}

BISE_API void bise_residency_end(bise::Residency* one) { delete one; }

BISE_API int64_t bise_pass_bytes(const bise::Network* network, int64_t num_tokens) {
    return bise::pass_bytes(*network, num_tokens);
}

// 0, or 1 where there was too little memory.
BISE_API int bise_run_pass(const bise::Network* network, const bise::Pass* pass, void* memory) {
    try {
        bise::run_pass(*network, *pass, static_cast<uint8_t*>(memory));
        return 0;
    } catch (const std::bad_alloc&) {
        return 1;
    }
}
