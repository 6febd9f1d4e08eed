// Vectors as wide as the file that includes this is compiled for, and what softmax needs of them.
// Everything is private to that file: no other may pick up code made for a newer processor.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#if !defined(__clang__)
// gcc 12 finds its own headers' undefined vectors undefined (gcc bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#endif

namespace bise {
namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX2__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

using Floats = float __attribute__((vector_size(4 * LANES)));
using Ints = int32_t __attribute__((vector_size(4 * LANES)));

inline Floats load(const float* from) {
    Floats loaded;
    std::memcpy(&loaded, from, sizeof loaded);
    return loaded;
}

inline Ints load(const int32_t* from) {
    Ints loaded;
    std::memcpy(&loaded, from, sizeof loaded);
    return loaded;
}

inline void store(float* to, Floats value) { std::memcpy(to, &value, sizeof value); }

inline Floats spread(float value) { return value - Floats{}; }

inline Floats largest(Floats a, Floats b) {
#if defined(__AVX512F__)
    return _mm512_max_ps(a, b);
#elif defined(__AVX2__)
    return _mm256_max_ps(a, b);
#else
    return a > b ? a : b;
#endif
}

inline Floats absolute(Floats a) { return (Floats)((Ints)a & 0x7fffffff); }

// 2^x for x <= 0, good to 2e-8: exact at 0, and just 0 from -127 down.
inline Floats power_of_two(Floats x) {
    constexpr float SHIFT = 12582912.0f;  // 1.5 * 2^23: adding it rounds to whole numbers
    x = largest(x, spread(-127.0f));
    const Floats shifted = x + SHIFT;
    const Floats rest = x - (shifted - SHIFT);
    Floats series = spread(1.5403530e-4f) * rest + 1.3333558e-3f;
    series = series * rest + 9.6181291e-3f;
    series = series * rest + 5.5504109e-2f;
    series = series * rest + 2.4022651e-1f;
    series = series * rest + 6.9314718e-1f;
    series = series * rest + 1.0f;
    return (Floats)((Ints)series + ((Ints)shifted << 23));
}

#if defined(__AVX512F__)
// The same, good to 5e-6: enough where the result is rounded to bf16.
inline Floats rough_power_of_two(Floats x) {
    const Floats rest = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    Floats series = spread(1.3697664e-2f) * rest + 5.1690358e-2f;
    series = series * rest + 2.4163844e-1f;
    series = series * rest + 6.9296666e-1f;
    series = series * rest + 1.0000026f;
    return _mm512_scalef_ps(series, x);
}
#endif

inline float total(Floats vector) {
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps(vector);
#else
    float lanes[LANES];
    store(lanes, vector);
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
    return lanes[0];
#endif
}

inline float highest(Floats vector) {
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps(vector);
#else
    float lanes[LANES];
    store(lanes, vector);
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i)
            lanes[i] = lanes[i] > lanes[i + width] ? lanes[i] : lanes[i + width];
    return lanes[0];
#endif
}

inline int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }

inline uint16_t to_bf16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

inline float from_bf16(uint16_t value) {
    const uint32_t bits = static_cast<uint32_t>(value) << 16;
    float number;
    std::memcpy(&number, &bits, sizeof number);
    return number;
}

}  // namespace
}  // namespace bise
