// Products with AVX2: `vpmaddubsw` for whole numbers, fp32 for the rest.
#if defined(__AVX2__)

#include <immintrin.h>

#include "matrix_rows.h"

namespace bise {

namespace {

constexpr int INTEGER_ROWS = 4, FLOAT_ROWS = 2;  // as many as the 16 registers hold
constexpr int HALVES = 2;                        // a tile's 16 outputs are two registers

inline __m256i load(const uint8_t* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}
inline __m256i four_of(const int8_t* values) {
    int32_t bits;
    std::memcpy(&bits, values, 4);
    return _mm256_set1_epi32(bits);
}

// Twice NVFP4's numbers are whole, and its E4M3 scales are read as fp16, where they count 2^-8.
template <WeightType type>
constexpr float UNIT = type == NVFP4 ? 128.0f : 1.0f;

// Four inputs of 8 outputs: signed for INT8, with their zero point for four bits.
template <WeightType type>
inline __m256i bytes_of(const uint8_t* tile, int quad, int half) {
    if (type == INT8)
        return _mm256_xor_si256(load(tile + 64 * quad + 32 * half), _mm256_set1_epi8(-128));
    const __m256i pairs = load(tile + 64 * (quad / 2) + 32 * half), low = _mm256_set1_epi8(15);
    const __m256i codes = _mm256_and_si256(quad % 2 ? _mm256_srli_epi16(pairs, 4) : pairs, low);
    if (type == INT4) return codes;
    const __m256i numbers = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0));
    return _mm256_shuffle_epi8(numbers, codes);
}

// Sums of 16 bits for four-bit weights (at most 24 * 127 * 2 * 4), of 32 for INT8, where a pair of
// products just fits into 16: sizes of one side times the other with both signs, at most 127 each.
template <WeightType type>
inline __m256i added(__m256i sums, __m256i weights, __m256i values) {
    if (type != INT8) return _mm256_add_epi16(sums, _mm256_maddubs_epi16(weights, values));
    const __m256i pairs =
        _mm256_maddubs_epi16(_mm256_abs_epi8(values), _mm256_sign_epi8(weights, values));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
template <WeightType type>
inline __m256i finished(__m256i sums, const Group& x, int part) {
    if (type == INT8) return sums;
    const int32_t start = type == INT4 ? x.start_int4 : x.start_nvfp4[part];
    return _mm256_add_epi32(_mm256_madd_epi16(sums, _mm256_set1_epi16(1)),
                            _mm256_set1_epi32(start));
}

template <WeightType type>
inline __m256 scales_of(const uint8_t* group, int part, int eight) {
    if (type == NVFP4) {
        const auto* codes = reinterpret_cast<const __m128i*>(group + part * PANEL + eight * 8);
        return _mm256_cvtph_ps(_mm_slli_epi16(_mm_cvtepu8_epi16(_mm_loadl_epi64(codes)), 7));
    }
    const auto* halves = reinterpret_cast<const __m128i*>(group + eight * 16);
    return _mm256_cvtph_ps(_mm_loadu_si128(halves));
}

template <WeightType type, int N>
struct IntegerRows {
    static void run(const Panel& panel, Ahead<type>& ahead, const void* const* x, float* block) {
        constexpr int PARTS = type == NVFP4 ? 2 : 1, PART_QUADS = QUADS / PARTS;
        __m256 sums[N][4] = {};
        const uint8_t* group = panel.groups;
        for (int64_t g = 0; g < panel.num_groups; ++g, group += group_bytes(type)) {
            ahead.pass_group();
            const Group* rows[N];
            for (int n = 0; n < N; ++n) rows[n] = static_cast<const Group*>(x[n]) + g;
            for (int tile = 0; tile < 2; ++tile)
                for (int part = 0; part < PARTS; ++part) {
                    const uint8_t* codes = group + head_bytes(type) + tile * tile_bytes(type);
                    __m256i dots[N][HALVES] = {};
#pragma GCC unroll 8
                    for (int q = part * PART_QUADS; q < (part + 1) * PART_QUADS; ++q)
                        for (int half = 0; half < HALVES; ++half) {
                            const __m256i weights = bytes_of<type>(codes, q, half);
                            for (int n = 0; n < N; ++n)
                                dots[n][half] = added<type>(dots[n][half], weights,
                                                            four_of(rows[n]->values + 4 * q));
                        }
                    for (int half = 0; half < HALVES; ++half) {
                        const int eight = tile * HALVES + half;
                        const __m256 scales = scales_of<type>(group, part, eight);
                        for (int n = 0; n < N; ++n) {
                            const __m256 dot = _mm256_cvtepi32_ps(
                                finished<type>(dots[n][half], *rows[n], part));
                            const __m256 scale =
                                _mm256_mul_ps(scales, _mm256_set1_ps(rows[n]->scale));
                            sums[n][eight] = _mm256_fmadd_ps(dot, scale, sums[n][eight]);
                        }
                    }
                }
        }
        for (int eight = 0; eight < 4; ++eight) {
            const __m256 scale = _mm256_set1_ps(panel.scale[eight / HALVES] * UNIT<type>);
            for (int n = 0; n < N; ++n)
                _mm256_storeu_ps(block + n * PANEL + eight * 8,
                                 _mm256_mul_ps(sums[n][eight], scale));
        }
    }
};

// E4M3 in the lowest byte of every 32 bits as fp32.
inline __m256 from_e4m3(__m256i codes) {
    const __m256i size = _mm256_and_si256(codes, _mm256_set1_epi32(0x7f));
    const __m256 normal = _mm256_castsi256_ps(
        _mm256_add_epi32(_mm256_slli_epi32(size, 20), _mm256_set1_epi32(120 << 23)));
    // with an exponent of zero there is no leading one, and the place is one higher
    const __m256 small = _mm256_fmsub_ps(normal, _mm256_set1_ps(2.0f), _mm256_set1_ps(0x1p-6f));
    const __m256i is_small = _mm256_cmpgt_epi32(_mm256_set1_epi32(8), size);
    const __m256 found = _mm256_blendv_ps(normal, small, _mm256_castsi256_ps(is_small));
    const __m256 moved = _mm256_castsi256_ps(_mm256_slli_epi32(codes, 24));
    return _mm256_or_ps(found, _mm256_and_ps(moved, _mm256_set1_ps(-0.0f)));
}

// One input of a pair of inputs, and 8 outputs, as fp32.
template <WeightType type>
inline __m256 floats_of(const uint8_t* tile, int pair, int odd, int half) {
    if (type == BF16) {
        const __m256i pairs = load(tile + 64 * pair + 32 * half);
        const __m256i upper = _mm256_and_si256(pairs, _mm256_set1_epi32(int(0xffff0000u)));
        return _mm256_castsi256_ps(odd ? upper : _mm256_slli_epi32(pairs, 16));
    }
    const __m256i four = load(tile + 64 * (pair / 2) + 32 * half);  // in the order 0 2 1 3
    const __m256i moved = _mm256_srli_epi32(four, 16 * odd + 8 * (pair % 2));
    return from_e4m3(_mm256_and_si256(moved, _mm256_set1_epi32(255)));
}

template <WeightType type, int N>
struct FloatRows {
    static void run(const Panel& panel, Ahead<type>& ahead, const void* const* x, float* block) {
        for (int tile = 0; tile < 2; ++tile) run_tile(panel, ahead, tile, x, block + tile * TILE);
    }

    // Even and odd inputs are summed apart: one chain of sums would wait for itself.
    static void run_tile(const Panel& panel, Ahead<type>& ahead, int tile, const void* const* x,
                         float* block) {
        __m256 sums[N][HALVES][2] = {};
        const uint8_t* codes = panel.groups + tile * tile_bytes(type);
        for (int64_t g = 0; g < panel.num_groups; ++g, codes += group_bytes(type)) {
            if (tile == 0) ahead.pass_group();
#pragma GCC unroll 2
            for (int pair = 0; pair < GROUP / 2; ++pair)
                for (int odd = 0; odd < 2; ++odd)
                    for (int half = 0; half < HALVES; ++half) {
                        const __m256 weights = floats_of<type>(codes, pair, odd, half);
                        for (int n = 0; n < N; ++n) {
                            const float value =
                                static_cast<const float*>(x[n])[g * GROUP + 2 * pair + odd];
                            __m256& sum = sums[n][half][odd];
                            sum = _mm256_fmadd_ps(weights, _mm256_set1_ps(value), sum);
                        }
                    }
        }
        const __m256 scale = _mm256_set1_ps(panel.scale[tile]);
        for (int n = 0; n < N; ++n)
            for (int half = 0; half < HALVES; ++half) {
                const __m256 sum = _mm256_add_ps(sums[n][half][0], sums[n][half][1]);
                _mm256_storeu_ps(block + n * PANEL + half * 8, _mm256_mul_ps(sum, scale));
            }
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

}  // namespace

const Kernels& kernels_avx2() {
    static const Kernels table = {
        {F32_ROWS, GROUPS, GROUPS, F32_ROWS, GROUPS},
        false,
        {},
        {InBlocks<BF16, Bf16Rows, FLOAT_ROWS>::run, InBlocks<INT8, Int8Rows, INTEGER_ROWS>::run,
         InBlocks<INT4, Int4Rows, INTEGER_ROWS>::run, InBlocks<FP8, Fp8Rows, FLOAT_ROWS>::run,
         InBlocks<NVFP4, Nvfp4Rows, INTEGER_ROWS>::run},
        {},
        {},
        quantise_rows,
        round_rows,
        gate_rows,
        add_rows};
    return table;
}

}  // namespace bise

#endif
