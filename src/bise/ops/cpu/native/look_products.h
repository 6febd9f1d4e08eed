// Products with vectors: a block of rows times a few panels stays in registers over all the depth.
// Every sum is one chain in the order of depth, so its bits do not depend on how rows are blocked.
#pragma once

#include <type_traits>

#include "look_layout.h"
#include "look_vector.h"

namespace bise {
namespace {

constexpr int PARTS = PANEL / LANES;  // vectors of a panel's line

// fp32 by fp32: a step is one number of depth.
struct FloatSteps {
    using Left = float;
    using Right = float;
    using Line = Floats;
    static Line line(const float* from, int part) { return load(from + part * LANES); }
    static Floats add(Floats sum, const float* left, int64_t step, int64_t stride, Line line) {
        return sum + left[step * stride] * line;
    }
};

// fp32 by bf16: a step is two numbers of depth.
struct MixedSteps {
    using Left = float;
    using Right = uint16_t;
    struct Line {
        Floats even, odd;
    };
    static Line line(const uint16_t* from, int part) {
        Ints pairs;
        std::memcpy(&pairs, from + part * 2 * LANES, sizeof pairs);
        return {(Floats)(pairs << 16), (Floats)(pairs & static_cast<int32_t>(0xffff0000u))};
    }
    static Floats add(Floats sum, const float* left, int64_t step, int64_t stride, Line line) {
        const float* two = left + 2 * step * stride;
        return (sum + two[0] * line.even) + two[stride] * line.odd;
    }
};

#if defined(__AVX512BF16__)
// bf16 by bf16: a step is a pair, and strides count pairs.
struct PairSteps {
    using Left = uint32_t;
    using Right = uint16_t;
    using Line = __m512i;
    static Line line(const uint16_t* from, int) { return _mm512_loadu_si512(from); }
    static Floats add(Floats sum, const uint32_t* left, int64_t step, int64_t stride, Line line) {
        const __m512i pair = _mm512_set1_epi32(static_cast<int>(left[step * stride]));
        return _mm512_dpbf16_ps(sum, (__m512bh)pair, (__m512bh)line);
    }
};
#endif

#if defined(__AVX512BF16__)
// 16 rows and one panel: rows are found from every fourth, or there would not be enough registers
// for their places.
inline void multiply_sixteen(const uint32_t* left, int64_t row_stride, int64_t step_stride,
                             const uint16_t* right, int64_t line_stride, int64_t steps, float* out,
                             int64_t out_stride) {
    __m512 sums[16];
    for (auto& sum : sums) sum = _mm512_setzero_ps();
    const uint32_t* fourth[4];
    for (int i = 0; i < 4; ++i) fourth[i] = left + 4 * i * row_stride;
    const int64_t three = 3 * row_stride;
    for (int64_t step = 0; step < steps; ++step) {
        const auto line = (__m512bh)_mm512_loadu_si512(right);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            const uint32_t* from = fourth[i];
            asm("" : "+r"(from));  // or the compiler keeps 16 places, most of them on the stack
            const auto pair = [&](int64_t at) {
                return (__m512bh)_mm512_set1_epi32(static_cast<int>(from[at]));
            };
            sums[4 * i] = _mm512_dpbf16_ps(sums[4 * i], pair(0), line);
            sums[4 * i + 1] = _mm512_dpbf16_ps(sums[4 * i + 1], pair(row_stride), line);
            sums[4 * i + 2] = _mm512_dpbf16_ps(sums[4 * i + 2], pair(2 * row_stride), line);
            sums[4 * i + 3] = _mm512_dpbf16_ps(sums[4 * i + 3], pair(three), line);
            fourth[i] += step_stride;
        }
        right += line_stride;
    }
    for (int row = 0; row < 16; ++row) _mm512_storeu_ps(out + row * out_stride, sums[row]);
}
#endif

template <class Left>
struct Rows {
    const Left* start;
    int64_t row_stride, step_stride;
};

struct Sums {
    float* start;
    int64_t stride;
};

template <class Steps, int rows, int panels>
void multiply_block(Rows<typename Steps::Left> left, Panels<typename Steps::Right> right,
                    int64_t steps, Sums out) {
#if defined(__AVX512BF16__)
    if constexpr (std::is_same_v<Steps, PairSteps> && rows == 16 && panels == 1)
        return multiply_sixteen(left.start, left.row_stride, left.step_stride, right.start,
                                right.line_stride, steps, out.start, out.stride);
#endif
    constexpr int vectors = panels * PARTS;
    Floats sums[rows][vectors] = {};
    for (int64_t step = 0; step < steps; ++step) {
        typename Steps::Line lines[vectors];
#pragma GCC unroll 16
        for (int v = 0; v < vectors; ++v)
            lines[v] = Steps::line(right.start + v / PARTS * right.panel_stride, v % PARTS);
#pragma GCC unroll 16
        for (int row = 0; row < rows; ++row)
#pragma GCC unroll 16
            for (int v = 0; v < vectors; ++v)
                sums[row][v] = Steps::add(sums[row][v], left.start + row * left.row_stride, step,
                                          left.step_stride, lines[v]);
        right.start += right.line_stride;
    }
#pragma GCC unroll 16
    for (int row = 0; row < rows; ++row)
#pragma GCC unroll 16
        for (int v = 0; v < vectors; ++v)
            store(out.start + row * out.stride + v * LANES, sums[row][v]);
}

// All rows times a few panels: blocks of `most` rows, then smaller ones for what is left.
template <class Steps, int most, int panels>
void multiply_rows(Rows<typename Steps::Left> left, int64_t rows,
                   Panels<typename Steps::Right> right, int64_t steps, Sums out) {
    for (; rows >= most; rows -= most) {
        multiply_block<Steps, most, panels>(left, right, steps, out);
        left.start += most * left.row_stride;
        out.start += most * out.stride;
    }
    constexpr int fewer = most == 6 ? 4 : most / 2;
    if constexpr (fewer > 0)
        if (rows > 0) multiply_rows<Steps, fewer, panels>(left, rows, right, steps, out);
}

template <class Steps, int most, int together>
void multiply_panels(Rows<typename Steps::Left> left, int64_t rows,
                     Panels<typename Steps::Right>& right, int64_t& panels, int64_t steps,
                     Sums& out) {
    for (; panels >= together; panels -= together) {
        multiply_rows<Steps, most, together>(left, rows, right, steps, out);
        right.start += together * right.panel_stride;
        out.start += together * PANEL;
    }
}

// out[rows, panels * 16] = left x right. Few rows take many panels at a time, to have enough sums
// under way; many rows take as many as registers hold.
template <class Steps>
void multiply(Rows<typename Steps::Left> left, int64_t rows, Panels<typename Steps::Right> right,
              int64_t panels, int64_t steps, Sums out) {
    constexpr bool has_32_registers = LANES == 16;
    if (rows <= 2)
        multiply_panels<Steps, 2, has_32_registers ? 8 : 2>(left, rows, right, panels, steps, out);
    if constexpr (has_32_registers)
        multiply_panels<Steps, 8, 2>(left, rows, right, panels, steps, out);
    constexpr int most = LANES == 16 ? 16 : LANES == 8 ? 6 : 2;
    multiply_panels<Steps, most, 1>(left, rows, right, panels, steps, out);
}

}  // namespace
}  // namespace bise
