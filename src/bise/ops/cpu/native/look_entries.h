// Entries of a cache read as fp32 or bf16 rows, whatever they are kept in.
#pragma once

#include "look.h"
#include "look_vector.h"

namespace bise {
namespace {

inline int64_t entry_bytes(CacheType type) {
    return type == CACHE_F32 ? 4 : type == CACHE_BF16 ? 2 : 1;
}

inline float one_fp8(uint8_t code) {  // E4M3: moved into fp32's places, 2^120 too small
    const uint32_t bits = (code & 0x80u) << 24 | (code & 0x7fu) << 20;
    float small;
    std::memcpy(&small, &bits, sizeof small);
    return small * 0x1p120f;
}

template <CacheType type>
inline float widen_one(const uint8_t* from, int64_t i) {
    if constexpr (type == CACHE_F32) return reinterpret_cast<const float*>(from)[i];
    if constexpr (type == CACHE_BF16) return from_bf16(reinterpret_cast<const uint16_t*>(from)[i]);
    if constexpr (type == CACHE_INT8) return static_cast<float>(static_cast<int8_t>(from[i]));
    return one_fp8(from[i]);
}

// Vectors of E4M3 pass through fp16, where they come out so many times too small.
#if defined(__AVX2__)
constexpr float FP8_UNIT = 256.0f;
#else
constexpr float FP8_UNIT = 1.0f;
#endif

#if defined(__AVX512F__)

template <CacheType type>
inline Floats widen(const uint8_t* from) {
    if constexpr (type == CACHE_F32) return _mm512_loadu_ps(from);
    if constexpr (type == CACHE_BF16) {
        const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)from));
        return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
    }
    const __m128i codes = _mm_loadu_si128((const __m128i*)from);
    if constexpr (type == CACHE_INT8) return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(codes));
    const __m256i wide = _mm256_cvtepi8_epi16(codes);
    const __m256i sign = _mm256_and_si256(wide, _mm256_set1_epi16(-0x8000));
    const __m256i rest = _mm256_and_si256(_mm256_slli_epi16(wide, 7), _mm256_set1_epi16(0x3f80));
    return _mm512_cvtph_ps(_mm256_or_si256(sign, rest));
}

#elif defined(__AVX2__)

template <CacheType type>
inline Floats widen(const uint8_t* from) {
    if constexpr (type == CACHE_F32) return _mm256_loadu_ps((const float*)from);
    if constexpr (type == CACHE_BF16) {
        const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)from));
        return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
    }
    const __m128i codes = _mm_loadl_epi64((const __m128i*)from);
    if constexpr (type == CACHE_INT8) return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(codes));
    const __m128i wide = _mm_cvtepi8_epi16(codes);
    const __m128i sign = _mm_and_si128(wide, _mm_set1_epi16(-0x8000));
    const __m128i rest = _mm_and_si128(_mm_slli_epi16(wide, 7), _mm_set1_epi16(0x3f80));
    return _mm256_cvtph_ps(_mm_or_si128(sign, rest));
}

#else

template <CacheType type>
inline Floats widen(const uint8_t* from) {
    Floats wide;
    for (int i = 0; i < LANES; ++i) wide[i] = widen_one<type>(from, i);
    return wide;
}

#endif

inline void put(float* to, Floats value) { store(to, value); }
inline void put_one(float* to, float value) { *to = value; }

#if defined(__AVX512BF16__)
inline void put(uint16_t* to, Floats value) {
    const __m256bh narrow = _mm512_cvtneps_pbh(value);
    std::memcpy(to, &narrow, sizeof narrow);
}
#endif
inline void put_one(uint16_t* to, float value) { *to = to_bf16(value); }

// Two vectors, one behind the other.
inline void put_two(float* to, Floats first, Floats second) {
    store(to, first);
    store(to + LANES, second);
}
#if defined(__AVX512BF16__)
inline void put_two(uint16_t* to, Floats first, Floats second) {
    const __m512bh both = _mm512_cvtne2ps_pbh(second, first);
    std::memcpy(to, &both, sizeof both);
}
#endif

template <CacheType type, class Number>
void read_piece(const uint8_t* from, float scale, int64_t count, Number* to) {
    constexpr int64_t bytes = type == CACHE_F32 ? 4 : type == CACHE_BF16 ? 2 : 1;
    if constexpr (type == CACHE_BF16 && sizeof(Number) == 2) {
        std::memcpy(to, from, count * bytes);
        return;
    }
    const float unit = type == CACHE_FP8 ? scale * FP8_UNIT : scale;
    int64_t i = 0;
#pragma GCC unroll 4
    for (; i + 2 * LANES <= count; i += 2 * LANES)
        put_two(to + i, widen<type>(from + i * bytes) * unit,
                widen<type>(from + (i + LANES) * bytes) * unit);
    for (; i < count; ++i) put_one(to + i, widen_one<type>(from, i) * scale);
}

template <class Number>
void read_piece(const Cache& cache, int64_t entry, int part, int64_t column, int64_t count,
                Number* to) {
    const auto* from = static_cast<const uint8_t*>(cache.entries) +
                       (entry * cache.width + column) * entry_bytes(cache.type);
    switch (cache.type) {
        case CACHE_F32: return read_piece<CACHE_F32>(from, 1.0f, count, to);
        case CACHE_BF16: return read_piece<CACHE_BF16>(from, 1.0f, count, to);
        case CACHE_INT8:
            return read_piece<CACHE_INT8>(from, cache.scales[entry * 2 + part], count, to);
        case CACHE_FP8:
            return read_piece<CACHE_FP8>(from, cache.scales[entry * 2 + part], count, to);
    }
}

// Where a span's entries lie, counted through all pages.
inline int64_t entry_of(const Cache& cache, const Span& span, int64_t position) {
    return span.pages[position / cache.page_tokens] * cache.page_tokens +
           position % cache.page_tokens;
}

}  // namespace
}  // namespace bise
