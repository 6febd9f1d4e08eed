// A part of an entry on its way into 8 bits, to the bit as torch rounds it.
#pragma once

#include <cmath>

#include "look.h"
#include "look_vector.h"

namespace bise {
namespace {

using Bytes = uint8_t __attribute__((vector_size(LANES)));

inline Ints choose(Ints condition, Ints yes, Ints no) {
    return (condition & yes) | (~condition & no);
}

// Whole numbers up to 127, halves to even: adding 1.5 * 2^23 rounds, and leaves them below.
inline Ints to_int8(Floats value) { return (Ints)(value + 12582912.0f); }

// E4M3, halves to even, of numbers up to 448; what is no number stays none.
inline Ints to_fp8(Floats value) {
    constexpr int32_t TINY = 0x3c800000;  // 2^-6: below it, steps are 2^-9, as they are at 2^14
    const Ints sign = (Ints)value & static_cast<int32_t>(0x80000000u);
    const Ints bits = (Ints)value ^ sign;
    const Ints normal = (bits + 0x7ffff + (bits >> 20 & 1) - (120 << 23)) >> 20;
    const Ints tiny = (Ints)((Floats)bits + 16384.0f) - 0x46800000;
    const Ints code = choose(bits >= 0x43f00000, Ints{} + 0x7f, choose(bits < TINY, tiny, normal));
    return code | (sign >> 24 & 0x80);
}

template <CacheType type>
float write_codes(const float* from, int64_t count, uint8_t* to) {
    const auto some = [&](int64_t i) {  // the last ones are filled up with zeros
        float last[LANES] = {};
        if (i + LANES <= count) return load(from + i);
        std::memcpy(last, from + i, (count - i) * sizeof(float));
        return load(last);
    };
    Floats most{};
    for (int64_t i = 0; i < count; i += LANES) most = largest(most, absolute(some(i)));
    const float maximum = highest(most);
    const float scale = maximum / (type == CACHE_INT8 ? 127.0f : 448.0f);
    const Floats divisor = spread(scale > 1e-20f ? scale : 1e-20f);
    for (int64_t i = 0; i < count; i += LANES) {
        const Floats scaled = some(i) / divisor;
        const Ints wide = type == CACHE_INT8 ? to_int8(scaled) : to_fp8(scaled);
        const Bytes codes = __builtin_convertvector(wide & 0xff, Bytes);
        std::memcpy(to + i, &codes, at_most(LANES, count - i));
    }
    return scale;
}

inline float write_part(CacheType type, const float* from, int64_t count, uint8_t* to) {
    return type == CACHE_INT8 ? write_codes<CACHE_INT8>(from, count, to)
                              : write_codes<CACHE_FP8>(from, count, to);
}

}  // namespace
}  // namespace bise
