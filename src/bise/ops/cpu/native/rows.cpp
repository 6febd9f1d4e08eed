// Rows are dealt out to the workers where there is enough to do; a few are done at once.
#include "rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "isa.h"
#include "pool.h"
#include "rows_kernels.h"

namespace bise {

namespace {

constexpr int64_t ENOUGH_NUMBERS = 1
                                   << 15;  // a worker reads so many in the time others need to come

RowKernels kernels() {
    switch (isa()) {
#if defined(__x86_64__)
        case AMX:
        case AVX512: return rows_avx512();
        case AVX2: return rows_avx2();
#endif
        default: return rows_portable();
    }
}

// body(first row, count) over all rows, in pieces large enough to be worth handing out.
template <class F>
void for_rows(int64_t rows, int64_t row_numbers, F body) {
    const int64_t enough = ENOUGH_NUMBERS / std::max<int64_t>(row_numbers, 1) + 1;
    if (rows < 2 * enough) return body(0, rows);
    parallel((rows + enough - 1) / enough, [&](int64_t index, int) {
        body(index * enough, std::min(enough, rows - index * enough));
    });
}

// The k largest in falling order; the lower index wins a tie, and is written first.
void choose(const float* logits, int64_t count, int64_t topk, int32_t* choice, float* kept) {
    int64_t filled = 0;
    for (int64_t expert = 0; expert < count; ++expert) {
        const float logit = logits[expert];
        if (filled == topk && !(logit > kept[topk - 1])) continue;
        int64_t at = filled < topk ? filled++ : topk - 1;
        for (; at > 0 && logit > kept[at - 1]; --at) {
            kept[at] = kept[at - 1];
            choice[at] = choice[at - 1];
        }
        kept[at] = logit;
        choice[at] = static_cast<int32_t>(expert);
    }
}

void softmax(float* values, int64_t count) {
    float sum = 0;
    for (int64_t i = count - 1; i >= 0; --i) sum += values[i] = std::exp(values[i] - values[0]);
    for (int64_t i = 0; i < count; ++i) values[i] /= sum;
}

}  // namespace

void rms_norm(const float* x, int64_t x_stride, int64_t rows, int64_t dim, const float* weight,
              float eps, float* out, int64_t out_stride) {
    const auto norm = kernels().norm;
    for_rows(rows, dim, [&](int64_t first, int64_t count) {
        for (int64_t row = first; row < first + count; ++row)
            norm(x + row * x_stride, dim, weight, eps, out + row * out_stride);
    });
}

void rotate(float* x, int64_t row_stride, int64_t rows, int64_t heads, int64_t head_stride,
            int64_t rope, const float* cos, const float* sin) {
    const auto turn = kernels().rotate;
    for_rows(rows, heads * rope, [&](int64_t first, int64_t count) {
        for (int64_t row = first; row < first + count; ++row) {
            const int64_t angles = row * (rope / 2);
            turn(x + row * row_stride, heads, head_stride, rope, cos + angles, sin + angles);
        }
    });
}

void route(const float* x, int64_t x_stride, int64_t rows, int64_t dim, const float* gate,
           int64_t num_experts, int64_t topk, int32_t* choice, float* weights) {
    const auto dots = kernels().dots;
    const int64_t row_pieces = (rows + MOST_ROWS - 1) / MOST_ROWS;
    const int64_t expert_pieces = (num_experts + MOST_EXPERTS - 1) / MOST_EXPERTS;
    auto* logits = static_cast<float*>(caller_memory(2, rows * num_experts * 4));
    const auto multiply = [&](int64_t index, int) {
        const int64_t row = index / expert_pieces * MOST_ROWS,
                      expert = index % expert_pieces * MOST_EXPERTS;
        dots(x + row * x_stride, x_stride, std::min(MOST_ROWS, rows - row), dim,
             gate + expert * dim, std::min(MOST_EXPERTS, num_experts - expert),
             logits + row * num_experts + expert, num_experts);
    };
    if (rows * num_experts * dim < 2 * ENOUGH_NUMBERS)
        for (int64_t piece = 0; piece < row_pieces * expert_pieces; ++piece) multiply(piece, 0);
    else
        parallel(row_pieces * expert_pieces, multiply);
    for_rows(rows, num_experts, [&](int64_t first, int64_t count) {
        for (int64_t row = first; row < first + count; ++row) {
            choose(logits + row * num_experts, num_experts, topk, choice + row * topk,
                   weights + row * topk);
            softmax(weights + row * topk, topk);
        }
    });
}

void embed(const void* table, bool is_bf16, int64_t dim, const int64_t* ids, int64_t rows,
           float* out) {
    for_rows(rows, dim, [&](int64_t first, int64_t count) {
        for (int64_t row = first; row < first + count; ++row) {
            float* to = out + row * dim;
            if (!is_bf16) {
                std::memcpy(to, static_cast<const float*>(table) + ids[row] * dim, dim * 4);
                continue;
            }
            const uint16_t* from = static_cast<const uint16_t*>(table) + ids[row] * dim;
            for (int64_t i = 0; i < dim; ++i) {
                const uint32_t bits = static_cast<uint32_t>(from[i]) << 16;
                std::memcpy(to + i, &bits, 4);
            }
        }
    });
}

}  // namespace bise
