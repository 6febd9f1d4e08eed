// The kernels of rows.h over vectors of any width. Private to each file that includes it.
#pragma once

#include <cmath>

#include "look_vector.h"
#include "rows_kernels.h"

namespace bise {
namespace {

void norm(const float* x, int64_t dim, const float* weight, float eps, float* out) {
    Floats sums[4] = {};
    int64_t i = 0;
    for (; i + 4 * LANES <= dim; i += 4 * LANES)
        for (int part = 0; part < 4; ++part) {
            const Floats some = load(x + i + part * LANES);
            sums[part] = sums[part] + some * some;
        }
    float square = total((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < dim; ++i) square += x[i] * x[i];
    const float inverse = 1.0f / std::sqrt(square / static_cast<float>(dim) + eps);
    for (i = 0; i + LANES <= dim; i += LANES)
        store(out + i, load(x + i) * inverse * load(weight + i));
    for (; i < dim; ++i) out[i] = x[i] * inverse * weight[i];
}

inline Floats swap_neighbours(Floats a) {
#if defined(__clang__)  // which has no such function, and sees what this loop does
    Floats swapped;
    for (int i = 0; i < LANES; ++i) swapped[i] = a[i ^ 1];
    return swapped;
#else
    Ints order;
    for (int i = 0; i < LANES; ++i) order[i] = i ^ 1;
    return __builtin_shuffle(a, order);
#endif
}

// (a, b) -> (a cos - b sin, b cos + a sin): a times (cos, cos) plus its neighbour times (-sin,
// sin).
void rotate_heads(float* x, int64_t heads, int64_t head_stride, int64_t rope, const float* cos,
                  const float* sin) {
    constexpr int64_t MOST = 128;  // numbers whose angles are kept at hand
    for (int64_t first = 0; first < rope; first += MOST) {
        const int64_t count = at_most(MOST, rope - first);
        float own[MOST], other[MOST];
        for (int64_t i = 0; i < count; ++i) {
            own[i] = cos[(first + i) / 2];
            other[i] = i % 2 ? sin[(first + i) / 2] : -sin[(first + i) / 2];
        }
        for (int64_t head = 0; head < heads; ++head) {
            float* turning = x + head * head_stride + first;
            int64_t i = 0;
            for (; i + LANES <= count; i += LANES) {
                const Floats some = load(turning + i);
                store(turning + i, some * load(own + i) + swap_neighbours(some) * load(other + i));
            }
            for (; i < count; i += 2) {
                const float even = turning[i], odd = turning[i + 1];
                turning[i] = even * own[i] + odd * other[i];
                turning[i + 1] = odd * own[i + 1] + even * other[i + 1];
            }
        }
    }
}

// Sums of x * gate for a few rows and experts, lane by lane; every lane is one chain in the order
// of numbers, however rows, experts and stretches of numbers are blocked.
template <int rows, int experts>
inline void add_dots(const float* x, int64_t x_stride, const float* gate, int64_t gate_stride,
                     int64_t count, Floats* sums) {
    Floats own[rows][experts];
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row)
#pragma GCC unroll 8
        for (int expert = 0; expert < experts; ++expert)
            own[row][expert] = sums[row * MOST_EXPERTS + expert];
    for (int64_t i = 0; i < count; i += LANES) {
        Floats some[experts];
#pragma GCC unroll 8
        for (int expert = 0; expert < experts; ++expert)
            some[expert] = load(gate + expert * gate_stride + i);
#pragma GCC unroll 8
        for (int row = 0; row < rows; ++row) {
            const Floats mine = load(x + row * x_stride + i);
#pragma GCC unroll 8
            for (int expert = 0; expert < experts; ++expert)
                own[row][expert] = own[row][expert] + mine * some[expert];
        }
    }
#pragma GCC unroll 8
    for (int row = 0; row < rows; ++row)
#pragma GCC unroll 8
        for (int expert = 0; expert < experts; ++expert)
            sums[row * MOST_EXPERTS + expert] = own[row][expert];
}

template <int rows, int experts>
void add_all_experts(const float* x, int64_t x_stride, const float* gate, int64_t gate_stride,
                     int64_t num_experts, int64_t count, Floats* sums) {
    int64_t expert = 0;
    for (; expert + experts <= num_experts; expert += experts)
        add_dots<rows, experts>(x, x_stride, gate + expert * gate_stride, gate_stride, count,
                                sums + expert);
    for (; expert < num_experts; ++expert)
        add_dots<rows, 1>(x, x_stride, gate + expert * gate_stride, gate_stride, count,
                          sums + expert);
}

constexpr int64_t TOGETHER = LANES == 16 ? 4 : 2;  // rows that share what is read of the experts

// Several rows at once. A stretch of all experts is copied together: where `dim` is a power of two,
// the experts' numbers would push each other out of the nearest cache.
void add_rows(const float* x, int64_t x_stride, int64_t rows, int64_t dim, int64_t whole,
              const float* gate, int64_t num_experts, Floats* sums) {
    constexpr int64_t STRETCH = 256;
    alignas(64) float copied[MOST_EXPERTS * STRETCH];
    for (int64_t i = 0; i < whole; i += STRETCH) {
        const int64_t count = at_most(STRETCH, whole - i);
        for (int64_t expert = 0; expert < num_experts; ++expert)
            for (int64_t at = 0; at < count; at += LANES)
                store(copied + expert * STRETCH + at, load(gate + expert * dim + i + at));
        int64_t row = 0;
        for (; row + TOGETHER <= rows; row += TOGETHER)
            add_all_experts<TOGETHER, 4>(x + row * x_stride + i, x_stride, copied, STRETCH,
                                         num_experts, count, sums + row * MOST_EXPERTS);
        for (; row < rows; ++row)
            add_all_experts<1, 8>(x + row * x_stride + i, x_stride, copied, STRETCH, num_experts,
                                  count, sums + row * MOST_EXPERTS);
    }
}

void dots(const float* x, int64_t x_stride, int64_t rows, int64_t dim, const float* gate,
          int64_t num_experts, float* logits, int64_t logit_stride) {
    const int64_t whole = dim / LANES * LANES;
    Floats sums[MOST_ROWS * MOST_EXPERTS] = {};
    if (rows >= TOGETHER)
        add_rows(x, x_stride, rows, dim, whole, gate, num_experts, sums);
    else
        for (int64_t row = 0; row < rows; ++row)
            add_all_experts<1, 8>(x + row * x_stride, x_stride, gate, dim, num_experts, whole,
                                  sums + row * MOST_EXPERTS);
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t expert = 0; expert < num_experts; ++expert) {
            float sum = total(sums[row * MOST_EXPERTS + expert]);
            for (int64_t i = whole; i < dim; ++i)
                sum += x[row * x_stride + i] * gate[expert * dim + i];
            logits[row * logit_stride + expert] = sum;
        }
}

constexpr RowKernels ROW_KERNELS = {norm, rotate_heads, dots};

}  // namespace
}  // namespace bise
