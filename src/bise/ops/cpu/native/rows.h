// What happens to one row at a time between the products.
#pragma once

#include <cstdint>

namespace bise {

// out = x / rms(x) * weight, in fp32; in place where out == x. Rows one after the other at a
// stride.
void rms_norm(const float* x, int64_t x_stride, int64_t rows, int64_t dim, const float* weight,
              float eps, float* out, int64_t out_stride);

// Turn neighbouring pairs (2i, 2i + 1) of each head's `rope` numbers by [rows, rope / 2] cos and
// sin, in place.
void rotate(float* x, int64_t row_stride, int64_t rows, int64_t heads, int64_t head_stride,
            int64_t rope, const float* cos, const float* sin);

// The k largest of each row's expert logits (x . gate, fp32 throughout; the lower index wins a tie)
// and the softmax over those k: what counts how much.
void route(const float* x, int64_t x_stride, int64_t rows, int64_t dim, const float* gate,
           int64_t num_experts, int64_t topk, int32_t* choice, float* weights);

// Each row's table row, as fp32; the table is bf16 or fp32.
void embed(const void* table, bool is_bf16, int64_t dim, const int64_t* ids, int64_t rows,
           float* out);

}  // namespace bise
