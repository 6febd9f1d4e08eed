// What every variant does alike between the products, written so that compilers make vectors of it.
#pragma once

#include <algorithm>
#include <utility>

#include "matrix_ahead.h"
#include "matrix_kernels.h"

namespace bise {

namespace {

constexpr float MAGIC = 12582912.0f;  // adding 1.5 * 2^23 rounds to whole numbers

// Numbers into groups of 8 bits with a scale of their own; a last group is filled up with zeros.
inline void quantise_group(const float* x, Group& group) {
    int32_t most_bits = 0;  // sizes compare like their bits
    for (int k = 0; k < GROUP; ++k)
        most_bits = std::max(most_bits, int32_t(bits_of_float(x[k]) & 0x7fffffffu));
    const float most = float_of_bits(uint32_t(most_bits));
    const bool is_nothing = most <= 0x1p-100f;  // what is no number is something
    const float inverse = is_nothing ? 0.0f : 127.0f / most;
    int32_t whole[GROUP], low = 0, high = 0;
    for (int k = 0; k < GROUP; ++k)
        whole[k] = int32_t(bits_of_float(x[k] * inverse + MAGIC) - bits_of_float(MAGIC));
    for (int k = 0; k < GROUP; ++k) group.values[k] = int8_t(whole[k]);
    for (int k = 0; k < GROUP / 2; ++k)  // of what is kept: infinite numbers become huge ones first
        low += group.values[k], high += group.values[k + GROUP / 2];
    group.scale = is_nothing ? 0.0f : most * (1.0f / 127.0f);
    group.start_int8 = -zero_point(INT8) * (low + high);
    group.start_int4 = -zero_point(INT4) * (low + high);
    group.start_nvfp4[0] = -zero_point(NVFP4) * low;
    group.start_nvfp4[1] = -zero_point(NVFP4) * high;
}

inline void quantise_rows(const float* x, int64_t count, Group* groups) {
    for (; count >= GROUP; count -= GROUP, x += GROUP) quantise_group(x, *groups++);
    if (count == 0) return;
    float last[GROUP] = {};
    std::copy_n(x, count, last);
    quantise_group(last, *groups);
}

inline void round_rows(const float* x, int64_t count, uint16_t* halves) {
    for (int64_t k = 0; k < count; ++k) halves[k] = to_bf16(x[k]);
    std::fill(halves + count, halves + divide_up(count, GROUP) * GROUP, uint16_t(0));
}

// e^x, right to about two units in the last place; beyond +-87 it stays what it is there.
// Ref: Cephes expf
inline float exponential(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 87.0f ? 87.0f : x;
    const float shifted = x * 1.44269504f + MAGIC, power = shifted - MAGIC;
    const float rest = (x - power * 0.693359375f) + power * 2.12194440e-4f;  // ln 2 in two parts
    float sum = 1.9875691500e-4f;
    sum = sum * rest + 1.3981999507e-3f;
    sum = sum * rest + 8.3334519073e-3f;
    sum = sum * rest + 4.1665795894e-2f;
    sum = sum * rest + 1.6666665459e-1f;
    sum = sum * rest + 5.0000001201e-1f;
    sum = sum * rest * rest + rest + 1.0f;
    return sum * float_of_bits((bits_of_float(shifted) << 23) + 0x3f800000u);
}

// Powers in a loop of their own: with the division beside them GCC divides by the limits as well,
// and such tiny quotients take a hundred times as long.
inline void gate_rows(const float* block, int64_t rows, float* hidden, int64_t stride) {
    for (int64_t row = 0; row < rows; ++row, block += PANEL, hidden += stride) {
        float powers[TILE];
        for (int i = 0; i < TILE; ++i) powers[i] = exponential(-block[i]);
        for (int i = 0; i < TILE; ++i) hidden[i] = block[i] / (1.0f + powers[i]) * block[TILE + i];
    }
}

inline void add_rows(const float* block, int64_t rows, int64_t columns, const float* weights,
                     float* const* out) {
    for (int64_t row = 0; row < rows; ++row, block += PANEL)
        if (columns == PANEL)
            for (int i = 0; i < PANEL; ++i) out[row][i] += weights[row] * block[i];
        else
            for (int64_t i = 0; i < columns; ++i) out[row][i] += weights[row] * block[i];
}

// Call a kernel that is made for exactly so many rows, for as many rows as there are, in blocks of
// nearly the same size. `Kernel<N>::run(panel, ahead, x, block)`.
template <WeightType type, template <int> class Kernel, int MOST>
struct InBlocks {
    using Run = void (*)(const Panel&, Ahead<type>&, const void* const*, float*);

    template <int... N>
    static const Run* table(std::integer_sequence<int, N...>) {
        static constexpr Run runs[] = {Kernel<N + 1>::run...};
        return runs;
    }

    static void run(const Panel& panel, const void* const* x, int64_t count, float* block) {
        const Run* runs = table(std::make_integer_sequence<int, MOST>());
        int64_t blocks = divide_up(count, MOST);
        for (Ahead<type> ahead(panel, blocks); blocks > 0; --blocks) {
            const int64_t rows = divide_up(count, blocks);
            ahead.begin_block();
            runs[rows - 1](panel, ahead, x, block);
            x += rows, block += rows * PANEL, count -= rows;
        }
    }
};

}  // namespace

}  // namespace bise
