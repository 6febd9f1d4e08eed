// Packed weights into registers of AVX-512.
#pragma once

#if !defined(__clang__)
// GCC 12 warns of its own undefined registers in immintrin.h, as if they were ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include "matrix_layout.h"

namespace bise {

namespace {

// Twice NVFP4's numbers are whole, and its E4M3 scales are read as fp16, where they count 2^-8.
template <WeightType type>
constexpr float UNIT = type == NVFP4 ? 128.0f : 1.0f;

inline __m512i load(const uint8_t* at) { return _mm512_loadu_si512(at); }

// Four inputs of 16 outputs, as whole numbers with their zero point: what `vpdpbusd` takes.
template <WeightType type>
inline __m512i bytes_of(const uint8_t* tile, int quad) {
    if constexpr (type == INT8) return load(tile + 64 * quad);
    const __m512i pairs = load(tile + 64 * (quad / 2)), low = _mm512_set1_epi8(15);
    const __m512i codes = _mm512_and_si512(quad % 2 ? _mm512_srli_epi16(pairs, 4) : pairs, low);
    if constexpr (type == INT4) return codes;
    const __m512i numbers = _mm512_broadcast_i32x4(
        _mm_setr_epi8(12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0));
    return _mm512_shuffle_epi8(numbers, codes);
}

// The scales of 16 outputs, fp32.
template <WeightType type>
inline __m512 scales_of(const uint8_t* group, int part, int tile) {
    if constexpr (type == NVFP4) {
        const auto* codes = reinterpret_cast<const __m128i*>(group + part * PANEL + tile * TILE);
        return _mm512_cvtph_ps(_mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(codes)), 7));
    }
    const auto* halves = reinterpret_cast<const __m256i*>(group + 2 * tile * TILE);
    return _mm512_cvtph_ps(_mm256_loadu_si256(halves));
}

// E4M3 in the upper byte of every 16 bits, the lower one empty, as bf16.
inline __m512i bf16_of_e4m3(__m512i codes) {
    const __m512i moved = _mm512_and_si512(_mm512_srli_epi16(codes, 4), _mm512_set1_epi16(0x07f0));
    const __m512i normal = _mm512_add_epi16(moved, _mm512_set1_epi16(120 << 7));
    // 0 to 7 times 2^-9, where the exponent is zero
    const __m512i small = _mm512_castsi128_si512(_mm_setr_epi16(
        0, 0x3b00, 0x3b80, 0x3bc0, 0x3c00, 0x3c20, 0x3c40, 0x3c60));
    const __mmask32 is_small = _mm512_testn_epi16_mask(codes, _mm512_set1_epi16(0x7800));
    const __m512i size = _mm512_mask_permutexvar_epi16(normal, is_small,
                                                       _mm512_srli_epi16(codes, 8), small);
    const __m512i sign = _mm512_set1_epi16(int16_t(0x8000));
    return _mm512_ternarylogic_epi32(size, codes, sign, 0xf8);  // size | (codes & sign)
}

// Four inputs of 16 outputs as two pairs of bf16: what `vdpbf16ps` takes.
template <WeightType type>
inline void pairs_of(const uint8_t* tile, int quad, __m512i (&pairs)[2]) {
    if constexpr (type == BF16) {
        pairs[0] = load(tile + 128 * quad);
        pairs[1] = load(tile + 128 * quad + 64);
    } else {
        const __m512i codes = load(tile + 64 * quad);
        pairs[0] = bf16_of_e4m3(_mm512_slli_epi16(codes, 8));
        pairs[1] = bf16_of_e4m3(_mm512_and_si512(codes, _mm512_set1_epi16(int16_t(0xff00))));
    }
}

// From each 32 bits of `from`: byte `from_byte` and those after it, into the `bytes` at `to_byte` of
// `to`, in one instruction.
template <int from_byte, int to_byte, int bytes>
inline __m512i moved(__m512i from, __m512i to) {
    constexpr uint64_t EACH = ((1u << bytes) - 1) << to_byte, WHERE = 0x1111111111111111u * EACH;
    const __m512i order = _mm512_broadcast_i32x4(_mm_add_epi8(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        _mm_set1_epi8(from_byte - to_byte)));
    return _mm512_mask_shuffle_epi8(to, WHERE, from, order);
}

// Two fp32 of each of 16 outputs as a pair of bf16, their lower halves cut off.
inline __m512i paired(__m512 first, __m512 second) {
    return moved<2, 0, 2>(_mm512_castps_si512(first), _mm512_castps_si512(second));
}

// Whole numbers become fp32 without a conversion: with a fitting exponent above it, a number in the
// second byte is added to 2^15, and the product with the scale takes that and the zero point away
// again. Cutting off instead of rounding makes weights smaller by 0.28 % on average (evenly spread
// over half of 2^-7 to 2^-8); scales are larger by that, and the error is the size of rounding's.
template <WeightType type>
struct Numbers {
    static constexpr float BIAS = 0x1p15f, CUT_OFF = 1.0f + 0.72f * 0x1p-8f;
    __m512 scale, minus;

    explicit Numbers(__m512 stored)
        : scale(_mm512_mul_ps(stored, _mm512_set1_ps(CUT_OFF))),
          minus(_mm512_mul_ps(scale, _mm512_set1_ps(-(BIAS + zero_point(type))))) {}

    // One byte of each four.
    template <int byte>
    __m512 at(__m512i four) const {
        const __m512i bits = moved<byte, 1, 1>(four, _mm512_castps_si512(_mm512_set1_ps(BIAS)));
        return _mm512_fmadd_ps(_mm512_castsi512_ps(bits), scale, minus);
    }

    // Four inputs of 16 outputs, a byte each, as two pairs of bf16.
    void store_four(__m512i four, uint8_t* out) const {
        _mm512_storeu_si512(out, paired(at<0>(four), at<1>(four)));
        _mm512_storeu_si512(out + 64, paired(at<2>(four), at<3>(four)));
    }
};

// Half of a tile, 16 inputs, as bf16: `out` is [input / 2][output][2].
template <WeightType type>
struct Half;

template <>
struct Half<INT8> {
    static void decode(const uint8_t* codes, __m512 scale, uint8_t* out) {
        const Numbers<INT8> numbers(scale);
#pragma GCC unroll 4
        for (int quad = 0; quad < 4; ++quad)
            numbers.store_four(load(codes + 64 * quad), out + 128 * quad);
    }
};

template <>
struct Half<INT4> {
    static void decode(const uint8_t* codes, __m512 scale, uint8_t* out) {
        const Numbers<INT4> numbers(scale);
#pragma GCC unroll 4
        for (int quad = 0; quad < 4; ++quad)
            numbers.store_four(bytes_of<INT4>(codes, quad), out + 128 * quad);
    }
};

// An E2M1 number times an E4M3 scale is a bf16 exactly.
template <>
struct Half<NVFP4> {
    static void decode(const uint8_t* codes, __m512 scale, uint8_t* out) {
        const __m512 numbers = _mm512_mul_ps(
            _mm512_set1_ps(256.0f), _mm512_setr_ps(0, .5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -.5f, -1,
                                                   -1.5f, -2, -3, -4, -6));
#pragma GCC unroll 2
        for (int eight = 0; eight < 2; ++eight, out += 256) {
            const __m512i all = load(codes + 64 * eight);
            const auto number = [&](unsigned at) {
                const __m512i code = _mm512_srli_epi32(all, at);  // the table takes four bits
                return _mm512_mul_ps(_mm512_permutexvar_ps(code, numbers), scale);
            };
            _mm512_storeu_si512(out, paired(number(0), number(8)));
            _mm512_storeu_si512(out + 64, paired(number(16), number(24)));
            _mm512_storeu_si512(out + 128, paired(number(4), number(12)));
            _mm512_storeu_si512(out + 192, paired(number(20), number(28)));
        }
    }
};

template <>
struct Half<FP8> {
    static void decode(const uint8_t* codes, __m512, uint8_t* out) {
#pragma GCC unroll 4
        for (int quad = 0; quad < 4; ++quad, out += 128) {
            __m512i pairs[2];
            pairs_of<FP8>(codes, quad, pairs);
            _mm512_storeu_si512(out, pairs[0]);
            _mm512_storeu_si512(out + 64, pairs[1]);
        }
    }
};

// A quarter of a group (half of its left tile, the other half, and so on) as a quarter of two tiles
// of bf16.
template <WeightType type>
inline void decode_quarter(const uint8_t* group, int quarter, uint8_t* out) {
    const int tile = quarter / 2, half = quarter % 2;
    const uint8_t* codes = group + head_bytes(type) + quarter * tile_bytes(type) / 2;
    __m512 scale = _mm512_setzero_ps();
    if constexpr (type != FP8) scale = scales_of<type>(group, type == NVFP4 ? half : 0, tile);
    Half<type>::decode(codes, scale, out + 512 * quarter);
}

}  // namespace

}  // namespace bise
