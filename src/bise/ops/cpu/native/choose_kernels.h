// What each variant does to a block of logits.
#pragma once

#include <cstdint>

namespace bise {

constexpr int64_t CHOICE_BLOCK = 256;  // logits whose chances are summed together
constexpr int BINS_PER_HALVING = 8;    // a bin holds chances within a factor of 2^(1/8)
constexpr int CHOICE_BINS = 127 * BINS_PER_HALVING + 1;

// The chance of a logit x, but for a common factor: 2^((x - top) * steepness).
struct Curve {
    float top, steepness;
};

struct ChooseKernels {
    float (*largest)(const float* x, int64_t count);
    // Chances of those logits that are at least `least`, 0 of others; their sum.
    float (*weigh)(const float* x, int64_t count, Curve curve, float least, float* chances);
    // Which bin each lies in; the likeliest lie in bin 0.
    void (*sort_out)(const float* x, int64_t count, Curve curve, int32_t* bins);
};

ChooseKernels choose_portable();
ChooseKernels choose_avx2();
ChooseKernels choose_avx512();

}  // namespace bise
