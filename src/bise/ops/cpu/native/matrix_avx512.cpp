// Products with AVX-512: `vpdpbusd` for whole numbers, `vdpbf16ps` for the rest.
#if defined(__AVX512F__)



#include "matrix_decode_avx512.h"
#include "matrix_rows.h"

namespace bise {

namespace {

constexpr int INTEGER_ROWS = 6, FLOAT_ROWS = 8;  // as many as the 32 registers hold
constexpr int64_t AHEAD_BYTES = 2048;

inline void fetch_ahead(const uint8_t* group, int64_t bytes) {
    for (int64_t line = 0; line < bytes; line += 64)
        _mm_prefetch(reinterpret_cast<const char*>(group) + AHEAD_BYTES + line, _MM_HINT_T0);
}

inline __m512i four_bytes_of(const void* values) {
    int32_t bits;
    std::memcpy(&bits, values, 4);
    return _mm512_set1_epi32(bits);
}

inline void store(float* block, int row, const __m512 (&sums)[2], const Panel& panel,
                  float unit = 1.0f) {
    for (int tile = 0; tile < 2; ++tile) {
        const __m512 scale = _mm512_set1_ps(panel.scale[tile] * unit);
        _mm512_storeu_ps(block + row * PANEL + tile * TILE, _mm512_mul_ps(sums[tile], scale));
    }
}

template <WeightType type>
inline int32_t start_of(const Group& x, int part) {
    return type == INT8 ? x.start_int8 : type == INT4 ? x.start_int4 : x.start_nvfp4[part];
}

// N rows of groups: whole numbers within a group (or a half of one), fp32 between groups.
template <WeightType type, int N>
struct IntegerRows {
    static void run(const Panel& panel, const void* const* x, float* block) {
        constexpr int PARTS = type == NVFP4 ? 2 : 1, PART_QUADS = QUADS / PARTS;
        __m512 sums[N][2];
        for (auto& row : sums) row[0] = row[1] = _mm512_setzero_ps();
        const uint8_t* group = panel.groups;
        const Group* rows[N];
        for (int n = 0; n < N; ++n) rows[n] = static_cast<const Group*>(x[n]);
        for (int64_t g = 0; g < panel.num_groups; ++g, group += group_bytes(type)) {
            fetch_ahead(group, group_bytes(type));
            const uint8_t* left = group + head_bytes(type);
            const uint8_t* right = left + tile_bytes(type);
            for (int part = 0; part < PARTS; ++part) {
                __m512i dots[N][2];
                for (int n = 0; n < N; ++n)
                    dots[n][0] = dots[n][1] = _mm512_set1_epi32(start_of<type>(rows[n][g], part));
#pragma GCC unroll 8
                for (int q = part * PART_QUADS; q < (part + 1) * PART_QUADS; ++q) {
                    const __m512i some = bytes_of<type>(left, q), more = bytes_of<type>(right, q);
                    for (int n = 0; n < N; ++n) {
                        const __m512i values = four_bytes_of(rows[n][g].values + 4 * q);
                        dots[n][0] = _mm512_dpbusd_epi32(dots[n][0], some, values);
                        dots[n][1] = _mm512_dpbusd_epi32(dots[n][1], more, values);
                    }
                }
                const __m512 scales[2] = {scales_of<type>(group, part, 0),
                                          scales_of<type>(group, part, 1)};
                for (int n = 0; n < N; ++n) {
                    const __m512 own = _mm512_set1_ps(rows[n][g].scale);
                    for (int tile = 0; tile < 2; ++tile) {
                        const __m512 dot = _mm512_cvtepi32_ps(dots[n][tile]);
                        const __m512 scale = _mm512_mul_ps(scales[tile], own);
                        sums[n][tile] = _mm512_fmadd_ps(dot, scale, sums[n][tile]);
                    }
                }
            }
        }
        for (int n = 0; n < N; ++n) store(block, n, sums[n], panel, UNIT<type>);
    }
};

// N rows of bf16, weights of bf16 or turned into it.
template <WeightType type, int N>
struct FloatRows {
    static void run(const Panel& panel, const void* const* x, float* block) {
        __m512 sums[N][2];
        for (auto& row : sums) row[0] = row[1] = _mm512_setzero_ps();
        const uint8_t* group = panel.groups;
        const uint16_t* rows[N];
        for (int n = 0; n < N; ++n) rows[n] = static_cast<const uint16_t*>(x[n]);
        for (int64_t g = 0; g < panel.num_groups; ++g, group += group_bytes(type)) {
            fetch_ahead(group, group_bytes(type));
#pragma GCC unroll 8
            for (int q = 0; q < QUADS; ++q) {
                __m512i pairs[2][2];
                pairs_of<type>(group, q, pairs[0]);
                pairs_of<type>(group + tile_bytes(type), q, pairs[1]);
                for (int half = 0; half < 2; ++half)
                    for (int n = 0; n < N; ++n) {
                        const auto values =
                            __m512bh(four_bytes_of(rows[n] + g * GROUP + 4 * q + 2 * half));
                        for (int tile = 0; tile < 2; ++tile)
                            sums[n][tile] = _mm512_dpbf16_ps(
                                sums[n][tile], __m512bh(pairs[tile][half]), values);
                    }
            }
        }
        for (int n = 0; n < N; ++n) store(block, n, sums[n], panel);
    }
};

template <int N>
using Int8Rows = IntegerRows<INT8, N>;
template <int N>
using Int4Rows = IntegerRows<INT4, N>;
template <int N>
using Nvfp4Rows = IntegerRows<NVFP4, N>;
template <int N>
using Bf16Rows = FloatRows<BF16, N>;
template <int N>
using Fp8Rows = FloatRows<FP8, N>;

// Whole numbers of 8 bits; what is none becomes 0.
inline __m128i bytes_nearest(__m512 numbers) {
    return _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(numbers));
}
inline int32_t sum_of(__m128i bytes) {
    return _mm512_reduce_add_epi32(_mm512_cvtepi8_epi32(bytes));
}

void quantise(const float* x, int64_t count, Group* groups) {
    const __m512i sign = _mm512_set1_epi32(0x7fffffff);
    for (; count > 0; count -= GROUP, x += GROUP, ++groups) {
        const uint32_t have = count >= GROUP ? ~0u : (1u << count) - 1;
        const __m512 low = _mm512_maskz_loadu_ps(__mmask16(have), x);
        const __m512 high = _mm512_maskz_loadu_ps(__mmask16(have >> 16), x + TILE);
        const __m512i sizes = _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(low), sign),
                                               _mm512_and_si512(_mm512_castps_si512(high), sign));
        const float most = float_of_bits(uint32_t(_mm512_reduce_max_epi32(sizes)));
        const bool is_nothing = most <= 0x1p-100f;  // what is no number is something
        const __m512 inverse = _mm512_set1_ps(is_nothing ? 0.0f : 127.0f / most);
        const __m128i first = bytes_nearest(_mm512_mul_ps(low, inverse));
        const __m128i second = bytes_nearest(_mm512_mul_ps(high, inverse));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(groups->values), first);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(groups->values + TILE), second);
        const int32_t one = sum_of(first), two = sum_of(second);
        groups->scale = is_nothing ? 0.0f : most * (1.0f / 127.0f);
        groups->start_int8 = -zero_point(INT8) * (one + two);
        groups->start_int4 = -zero_point(INT4) * (one + two);
        groups->start_nvfp4[0] = -zero_point(NVFP4) * one;
        groups->start_nvfp4[1] = -zero_point(NVFP4) * two;
    }
}

void round_to_bf16(const float* x, int64_t count, uint16_t* halves) {
    for (; count > 0; count -= GROUP, x += GROUP, halves += GROUP) {
        const uint32_t have = count >= GROUP ? ~0u : (1u << count) - 1;
        const __m512 low = _mm512_maskz_loadu_ps(__mmask16(have), x);
        const __m512 high = _mm512_maskz_loadu_ps(__mmask16(have >> 16), x + TILE);
        _mm512_storeu_si512(halves, __m512i(_mm512_cvtne2ps_pbh(high, low)));
    }
}

}  // namespace

const Kernels& kernels_avx512() {
    static const Kernels table = {
        {BF16_ROWS, GROUPS, GROUPS, BF16_ROWS, GROUPS},
        {},
        {InBlocks<Bf16Rows, FLOAT_ROWS>::run, InBlocks<Int8Rows, INTEGER_ROWS>::run,
         InBlocks<Int4Rows, INTEGER_ROWS>::run, InBlocks<Fp8Rows, FLOAT_ROWS>::run,
         InBlocks<Nvfp4Rows, INTEGER_ROWS>::run},
        {},
        quantise,
        round_to_bf16,
        gate_rows,
        add_rows};
    return table;
}

}  // namespace bise

#endif
