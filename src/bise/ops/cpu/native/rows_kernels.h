// What each variant does to a few rows at a time.
#pragma once

#include <cstdint>

namespace bise {

constexpr int64_t MOST_ROWS = 16, MOST_EXPERTS = 16;  // whose dot products are asked for at once

struct RowKernels {
    void (*norm)(const float* x, int64_t dim, const float* weight, float eps, float* out);
    void (*rotate)(float* x, int64_t heads, int64_t head_stride, int64_t rope, const float* cos,
                   const float* sin);
    // logits [rows, logit_stride] of `num_experts` experts
    void (*dots)(const float* x, int64_t x_stride, int64_t rows, int64_t dim, const float* gate,
                 int64_t num_experts, float* logits, int64_t logit_stride);
};

RowKernels rows_portable();
RowKernels rows_avx2();
RowKernels rows_avx512();

}  // namespace bise
