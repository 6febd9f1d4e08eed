// The whole pass for Python.
#include <memory>

#include "abi.h"
#include "network.h"

using namespace bise;

// By which Python sees whether it was written for this very library.
BISE_API int64_t bise_struct_bytes(int64_t which) {
    constexpr int64_t SIZES[] = {sizeof(Network), sizeof(Layer), sizeof(Pass),   sizeof(Cache),
                                 sizeof(Span),    sizeof(Matrix), sizeof(Mixture)};
    return SIZES[which];
}

// Into `one`, for `bise_residency_end`.
BISE_API int bise_residency(const Network* network, int64_t budget_bytes, int64_t file,
                            const void* mapped, Residency** one) {
    return guarded([&] {
        const int64_t num_experts = network->layers[0].mixture.num_experts;
        auto made = std::make_unique<Residency>(budget_bytes, network->num_layers, num_experts,
                                                int(file), static_cast<const uint8_t*>(mapped));
        for (int64_t layer = 0; layer < network->num_layers; ++layer)
            for (int64_t expert = 0; expert < num_experts; ++expert)
                made->describe(layer, expert, network->layers[layer].mixture.experts[expert]);
        *one = made.release();
    });
}

BISE_API void bise_residency_counts(const Residency* one, int64_t* counts) {
    const ResidencyCounts found = one->counts();
    counts[0] = found.asked, counts[1] = found.found, counts[2] = found.guessed_right;
    counts[3] = found.read_bytes, counts[4] = found.resident_bytes;
}

BISE_API void bise_residency_end(Residency* one) { delete one; }

BISE_API int64_t bise_pass_bytes(const Network* network, int64_t num_tokens) {
    return pass_bytes(*network, num_tokens);
}

BISE_API int bise_run_pass(const Network* network, const Pass* pass, void* memory) {
    return guarded([&] { run_pass(*network, *pass, static_cast<uint8_t*>(memory)); });
}
